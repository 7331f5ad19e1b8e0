/* SPDX-License-Identifier: MIT */
/* Trees from texts that a test writes down, and tables that the repository keeps printed. What is
 * wrong fails the test. */
#ifndef FAKE_TEXT_H
#define FAKE_TEXT_H

#include "base/buf.h"
#include "conf/node.h"

/* Owned. */
struct node *from_json(const char *text);
struct node *from_yaml(const char *text);
/* The file, below the folder of the run, is title and table; UPDATE=1 rewrites it. */
void assert_is_printed(const char *path, const char *title, const struct buf *table);

#endif

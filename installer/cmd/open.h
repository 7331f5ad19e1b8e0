/* SPDX-License-Identifier: MIT */
/* How the controller's page is told of, by `open` and by `up`. */
#ifndef CMD_OPEN_H
#define CMD_OPEN_H

#include "conf/node.h"
#include "env/page.h"

/* Lines on stdout; `token` NULL: none. */
void open_print(const struct page *p, const char *token);
/* {"instance","url","token","pin"}; owned. */
struct node *open_json(const struct page *p, const char *token);

#endif

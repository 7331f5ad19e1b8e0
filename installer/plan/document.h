/* SPDX-License-Identifier: MIT */
/*
 * The operator's copy of the accepted environment document, beside the key: while etcd is down,
 * nothing else says what the environment is. etcd's own copy counts whenever it answers.
 */
#ifndef PLAN_DOCUMENT_H
#define PLAN_DOCUMENT_H

#include <stdbool.h>

#include "base/err.h"
#include "conf/node.h"

/* `folder`: that of the environment. */
int document_save(const char *folder, const struct node *document, struct err *e);
/* Whether the copy is there and says just this. */
bool document_is_saved(const char *folder, const struct node *document);
/* ERR_NOTFOUND when there is none. *out is owned. */
int document_load(struct node **out, const char *folder, struct err *e);

#endif

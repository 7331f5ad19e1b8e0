/* SPDX-License-Identifier: MIT */
/*
 * The operator's copy of the accepted environment document, beside the key: while etcd is down,
 * nothing else says what the environment is. etcd's own copy counts whenever it answers.
 */
#ifndef PLAN_DOCUMENT_H
#define PLAN_DOCUMENT_H

#include "base/err.h"
#include "conf/node.h"

int document_save(const char *env, const struct node *document, struct err *e);
/* ERR_NOTFOUND when there is none. *out is owned. */
int document_load(struct node **out, const char *env, struct err *e);

#endif

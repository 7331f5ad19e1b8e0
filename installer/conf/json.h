/* SPDX-License-Identifier: MIT */
/*
 * JSON text <-> tree. cJSON does the reading; this file makes it strict: one value, no trailing
 * text, no duplicate keys, no NUL in strings, numbers keep their text exactly, depth 64, size
 * chosen by the caller. RFC 8259.
 */
#ifndef CONF_JSON_H
#define CONF_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "conf/node.h"

/* `name` is for messages (file name or "engine reply"). */
int json_parse(struct node **out, const char *name, const char *text, size_t len, struct err *e);
/* Appends the compact text; `indent` > 0: that many spaces per level. Keys in tree order. */
void json_format(struct buf *b, const struct node *n, int indent);
/* Compact text, owned. */
char *json_text(const struct node *n);

#endif

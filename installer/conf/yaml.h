/* SPDX-License-Identifier: MIT */
/*
 * YAML text -> tree, over libyaml's event API. Refuses anchors, aliases, tags, several documents,
 * duplicate keys, NUL bytes, depth over 32, over 20,000 events, scalars over 64 KiB, 1 MiB of text.
 * Keys are scalars of 1 to 256 bytes; the key "<<" is a key like any other. Every problem found is
 * one line "file:line:column: what" in the error.
 */
#ifndef CONF_YAML_H
#define CONF_YAML_H

#include "base/err.h"
#include "conf/node.h"
#include "conf/problems.h"

/* *out is owned. A problem is "NAME:LINE:COL: sentence" in e (ERR_CONFIG). */
int yaml_parse(struct node **out, const char *name, const char *text, size_t len, struct err *e);
int yaml_load(struct node **out, const char *path, struct err *e);
/*
 * The same with the problems noted in `p`, whose name is the file's, so that those of what is in
 * the document can follow. The tree, owned, or NULL when it cannot be read to its end. With
 * problems it is only good for finding more of them: of equal keys the first is left, with what the
 * later have besides when they are maps.
 */
struct node *yaml_read(struct problems *p, const char *text, size_t len);
struct node *yaml_read_file(struct problems *p, const char *path);
/* The same of what the caller of a program names: fs_read_input. */
struct node *yaml_read_input(struct problems *p, const char *path);
/* Block-style YAML text; strings that could be read otherwise are quoted. */
struct buf;
void yaml_format(struct buf *b, const struct node *n);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Rendering is data: a template is a YAML tree whose scalars may hold ${variables}; the writers
 * print ini, env, json, yaml or an argument list. A scalar that is exactly "${name}" becomes the
 * variable's value with its type (a list, a map, null: the entry is left out); inside longer text
 * only scalars may stand. The key "<<" merges a map. An unknown variable is an error that names it.
 */
#ifndef MODEL_RENDER_H
#define MODEL_RENDER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"
#include "conf/node.h"
#include "model/manifest.h"

/* Expands the tree against the map `vars`. ${a.b} walks maps;
 * ${name:-text} gives text when unset. */
int render_expand(struct node **out, const struct node *tree, const struct node *vars,
                  struct err *e);
/* Whether every variable that the tree names is in `vars`, with or without a value; ERR_CONFIG
 * names the first that is not. */
int render_check(const struct node *tree, const struct node *vars, struct err *e);
/* Prints an expanded tree. */
int render_format(struct buf *b, enum template_format format, const struct node *tree,
                  struct err *e);
/* Expanded list of scalars (nested lists are flattened, nulls left out) to argv. */
int render_args(struct strv *out, const struct node *list, const struct node *vars, struct err *e);

#endif

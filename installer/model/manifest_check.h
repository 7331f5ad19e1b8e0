/* SPDX-License-Identifier: MIT */
/* What the table of keys cannot say about a manifest. Only for manifest_load.c. */
#ifndef MODEL_MANIFEST_CHECK_H
#define MODEL_MANIFEST_CHECK_H

#include "model/manifest_table.h"

/* Checks, and fills what depends on several keys: ranges, template
 * formats, kinds of shared values. */
void manifest_check(struct manifest_raw *raw, const struct node *root, struct problems *p);

/* Part of it: every variable that the command, run.env and the templates name is one, and every
 * template can be read. */
void manifest_check_render(const struct manifest_raw *raw, const struct node *root,
                           struct problems *p);

/* Part of it: the command, variables, capabilities and devices of `run`. */
void manifest_check_run(const struct manifest *m, const struct node *root, struct problems *p);

#endif

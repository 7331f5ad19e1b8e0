/* SPDX-License-Identifier: MIT */
/* What the table of keys cannot say about a manifest. Only for manifest.c. */
#ifndef MODEL_MANIFEST_CHECK_H
#define MODEL_MANIFEST_CHECK_H

#include "model/manifest_table.h"

/* Checks, and fills what depends on several keys: ranges, template formats, kinds of shared values.
 */
void manifest_check(struct manifest_raw *raw, const struct node *root, struct problems *p);

#endif

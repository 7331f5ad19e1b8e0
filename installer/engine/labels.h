/* SPDX-License-Identifier: MIT */
/* Whether a thing that exists is the one we would make. Pure. */
#ifndef ENGINE_LABELS_H
#define ENGINE_LABELS_H

#include "base/err.h"
#include "conf/node.h"

/* Every label of `ours` is in `theirs` (NULL: none) with the same value; else ERR_CONFLICT names
 * it. */
int labels_match(const struct node *ours, const struct node *theirs, struct err *e);

#endif

/* SPDX-License-Identifier: MIT */
/* What of a step depends on more than the type of one key. Only for the files of steps.h. */
#ifndef MODEL_STEPS_CHECK_H
#define MODEL_STEPS_CHECK_H

#include "conf/problems.h"
#include "model/steps.h"

/* `s` is one of the items of `all`, decoded from the map `at`; those before it are checked. */
void steps_check(const struct steps *all, const struct step *s, const struct node *at,
                 struct problems *p);

#endif

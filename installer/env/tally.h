/* SPDX-License-Identifier: MIT */
/* One thing done in many places: what came of all of it. */
#ifndef ENV_TALLY_H
#define ENV_TALLY_H

#include "env/env.h"

struct tally {
    size_t count, failures;
    struct strv failed; /* each place once */
};

/* Counts one that was done in `place`, or not. */
void tally_add(struct tally *t, const char *place, bool done);
/*
 * Clears the tally. 0 when nothing has failed. ERR_PARTIAL, which says "run it again": "failed in 2
 * of 5: a, b". ERR_INTERRUPTED with the text `interrupted`, when that is why.
 */
int tally_result(struct tally *t, const struct env *env, const char *interrupted, struct err *e);

#endif

/* SPDX-License-Identifier: MIT */
/* The words behind `slipway check`: modules, and tests of them. Pure. */
#ifndef CHECK_PICK_H
#define CHECK_PICK_H

#include "base/err.h"
#include "base/strv.h"

struct check_pick {
    const char *module; /* borrowed from the known ones */
    struct strv tests;  /* none: all */
};

struct check_picks {
    struct check_pick *items;
    size_t count;
};

/* "access", "access latency", "access.latency", and several of them: a word that is not a module
 * is a test of the module before it. `known` are the modules that there are. */
int check_picks_parse(struct check_picks *out, const struct strv *words, const struct strv *known,
                      struct err *e);
void check_picks_clear(struct check_picks *p);
/* NULL: not asked for. */
const struct check_pick *check_picks_find(const struct check_picks *p, const char *module);
/* Whether a word means a test: by its name, its code, or what is behind the dot of the code. */
bool check_pick_means(const char *word, const char *test, const char *code);
/* Whether the pick (NULL: all) has a test. */
bool check_pick_has(const struct check_pick *p, const char *test, const char *code);

#endif

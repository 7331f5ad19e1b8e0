/* SPDX-License-Identifier: MIT */
/* Follows what instances print, over starts and new containers of theirs. */
#ifndef ENV_FOLLOW_H
#define ENV_FOLLOW_H

#include "env/logs.h"

enum follow_news {
    FOLLOW_ENDED, /* with `status`, -1: unknown, it runs again already */
    FOLLOW_RUNS_AGAIN,
    FOLLOW_REMOVED, /* it has no container, and none is to come */
};

struct follow_opts {
    int tail;          /* begin with the last lines of each; -1: all */
    const char *since; /* of logs_time: of these, those since then; NULL: all */
    /* One call at a time of both, from any thread. `source` is a number in the names. `line`
     * returns whether more is wanted; `news` may be NULL. */
    bool (*line)(void *arg, const struct logs_line *line);
    void (*news)(void *arg, size_t source, enum follow_news what, int status);
    void *arg;
};

/* Until nobody wants more, it is cancelled, or all of the instances are removed. The first
 * failure. */
int follow_run(struct env *env, const struct strv *names, const struct follow_opts *o,
               struct err *e);

#endif

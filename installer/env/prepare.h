/* SPDX-License-Identifier: MIT */
/*
 * Steps on many targets at once (model/steps.h): on each one after the other, until one fails. The
 * programs that do them (scripts/host/steps) come over the connection; nothing of them stays there.
 */
#ifndef ENV_PREPARE_H
#define ENV_PREPARE_H

#include "env/targets.h"
#include "model/steps.h"

enum prepare_state {
    PREPARE_STATE_LEFT, /* was not begun */
    PREPARE_STATE_UNCHANGED,
    PREPARE_STATE_CHANGED, /* or would be, in a dry run */
    PREPARE_STATE_FAILED,
};

struct prepare_step {
    enum prepare_state state;
    char *diff; /* what differed, lines as the target sent them; owned, NULL: nothing was said */
    size_t diff_len;
    bool cut; /* there was more of it */
    int64_t took_ms;
};

struct prepare_result {
    const char *target;         /* borrowed */
    const char *via;            /* "ssh", "docker"; NULL: it was not reached */
    struct prepare_step *steps; /* one for each of the file's */
    size_t unchanged, changed;
    int64_t took_ms;
    struct err error; /* of the step that failed, or why the rest was left; ERR_NONE: all is well */
};

struct prepare_opts {
    const struct steps *steps;
    bool look; /* change nothing, say what would be */
    unsigned parallel;
    bool fail_fast; /* once one has failed no other one begins, and those under way are given up */
};

/* One at a time, from any thread. */
struct prepare_events {
    /* A step has ended: index of the target and of the step. NULL: nobody listens. */
    void (*step)(void *arg, const struct prepare_result *r, size_t index, size_t step);
    void *arg;
};
enum { PREPARE_TIMEOUT_MS = 30 * 60 * 1000 };

/* *results: one for each of `names`, instances, in their order; prepare_free frees them. Needs the
 * containers. 0 whatever became of them; -1: nothing was begun. */
int prepare_many(struct prepare_result **results, struct env *env, const struct strv *names,
                 const struct prepare_opts *o, const struct prepare_events *ev, struct err *e);
void prepare_free(struct prepare_result *results, size_t count, const struct steps *steps);

#endif

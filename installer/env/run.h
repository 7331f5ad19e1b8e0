/* SPDX-License-Identifier: MIT */
/* One command in many instances at once. */
#ifndef ENV_RUN_H
#define ENV_RUN_H

#include "env/targets.h"

struct run_opts {
    const char *const *argv;
    unsigned parallel; /* instances at once; 0: all */
    bool fail_fast; /* once one has failed no other one begins, and those under way are given up */
};

struct run_result {
    const char *instance; /* borrowed */
    const char *via;      /* "ssh", "docker"; NULL: it was not begun */
    int status;           /* of the command; -1: none, see error */
    int64_t took_ms;
    struct err error; /* ERR_NONE: the command ran to its end, whatever its status */
};
/* Whether the command ran, and ended with status 0. */
bool run_is_well(const struct run_result *r);

/* As target_events has them; each may be NULL. */
struct run_events {
    bool (*output)(void *arg, size_t index, int stream, const char *p, size_t len);
    void (*cut)(void *arg, size_t index, int stream);
    void (*ended)(void *arg, size_t index, const struct run_result *r);
    void *arg;
};
enum { RUN_TIMEOUT_MS = 10 * 60 * 1000 };

/* *results: one for each of `names`, in their order, owned (free). Needs the containers. 0 whatever
 * became of them; -1: nothing was begun. */
int run_many(struct run_result **results, struct env *env, const struct strv *names,
             const struct run_opts *o, const struct run_events *ev, struct err *e);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Observe, plan, execute, in this order and until there is nothing left to do: what `up` and `down`
 * are, for the command line and for a controller alike.
 */
#ifndef PLAN_CONVERGE_H
#define PLAN_CONVERGE_H

#include "model/catalog.h"
#include "plan/execute.h"

struct converge_opts {
    const struct spec *spec;
    const struct catalog *catalog;
    struct images_opts images; /* base and mirror are taken from the spec */
    const char *command;       /* for the lock: "up" */
    int64_t lock_wait_ms;
    unsigned parallel;
    int64_t deadline;
    struct execute_events events;
    /* Called with every plan before it is executed; may be NULL. Not 0: stop with that error. */
    int (*approve)(void *arg, const struct plan *p, struct err *e);
    void *approve_arg;
    /* Called with what etcd holds before each plan, from under the lock when there is one; may be
     * NULL. Replaces `spec` by what it has become meanwhile: borrowed until the next call. */
    int (*settle)(void *arg, const struct spec **spec, const struct etcd_kvs *keys, struct err *e);
    void *settle_arg;
    bool fresh; /* the environment is being made: etcd cannot hold anything yet */
};

/* One look: what is there, what should be there, the way between. Nothing is changed. */
struct converge_view {
    struct env_key key;
    bool
        is_new; /* the environment has no key yet: the plan was made with one that is thrown away */
    struct world *world;
    struct desired *desired;
    struct plan *plan;
};
int converge_look(struct converge_view *v, struct engine *g, const struct converge_opts *o,
                  struct err *e);
void converge_clear(struct converge_view *v);

/* Brings the environment about. result counts all rounds. */
int converge_up(struct execute_result *result, struct engine *g, const struct converge_opts *o,
                struct err *e);

struct converge_down_opts {
    const char *env;
    bool volumes;
    const char *command;          /* for the lock; NULL: "down" */
    const struct strv *named;     /* only these volumes; NULL: the whole environment */
    const struct strv *instances; /* only these, and with `volumes` their data; NULL likewise */
    int64_t lock_wait_ms, deadline;
    unsigned parallel;
    bool force; /* without etcd's lock, when etcd does not answer or another holds it */
    struct execute_events events;
    /* Before each round, of which there is a second one when a killed run's calls come late: what
     * is there then may be something else. A refusal is the end. */
    int (*approve)(void *arg, const struct plan *p, struct err *e);
    void *approve_arg;
};
/* Removes what the environment made, looks again and fails when anything is left. ERR_NOTFOUND when
 * there is no such environment. */
int converge_down(struct execute_result *result, struct engine *g,
                  const struct converge_down_opts *o, struct err *e);

#endif

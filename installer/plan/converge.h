/* SPDX-License-Identifier: MIT */
/*
 * Observe, plan, execute, in this order and until there is nothing left to do: what `up` and `down`
 * are, for the command line and for a controller alike. What bounds the engine (engine_set_until)
 * bounds the whole of it: waiting for locks, calls, rounds.
 */
#ifndef PLAN_CONVERGE_H
#define PLAN_CONVERGE_H

#include "model/catalog.h"
#include "plan/execute.h"

struct converge_opts {
    const char *folder; /* of the environment's files on this machine: key, lock, journal, ... */
    const char *user;   /* who does it, for the lock and the audit */
    const struct spec *spec;
    const struct catalog *catalog;
    struct images_opts images; /* base and mirror are taken from the spec */
    const char *command;       /* for the lock: "up" */
    int64_t lock_wait_ms;
    unsigned parallel;
    const char *fault; /* fault.h; NULL: none */
    const char *self;  /* plan_opts; in its container it does not look for what the host lacks */
    struct execute_events events;
    /* Called with every plan before it is executed; may be NULL. Not 0: stop with that error. */
    int (*approve)(void *arg, const struct plan *p, struct err *e);
    void *approve_arg;
    /* Called before each plan with what etcd holds (NULL: it does not answer), from under the lock
     * when there is one; may be NULL. Replaces `spec` by what it has become meanwhile: borrowed
     * until the next call. */
    int (*finalize)(void *arg, const struct spec **spec, const struct etcd_kvs *keys,
                    struct err *e);
    void *finalize_arg;
    bool fresh;              /* the environment is being made: etcd cannot hold anything yet */
    const char *only;        /* plan_opts.only */
    const bool *restart;     /* plan_opts.restart, looked at for each plan; may be NULL */
    struct etcd_fence fence; /* of the lock */
    struct execute_guard guard;
};

/* One look: what is there, what should be there, the way between. Nothing is changed. */
struct converge_view {
    struct env_key key;
    bool is_new; /* it has no key yet: the plan was made with one that is thrown away */
    struct observed *observed;
    struct desired *desired;
    struct plan *plan;
};
int converge_look(struct converge_view *v, struct engine *g, const struct converge_opts *o,
                  struct err *e);
void converge_clear(struct converge_view *v);

/* Makes the environment what the specification says. result counts all rounds. */
int converge_up(struct execute_result *result, struct engine *g, const struct converge_opts *o,
                struct err *e);

struct converge_down_opts {
    const char *env, *folder, *user; /* its name; the others as above */
    bool volumes;
    const char *command;          /* for the lock; NULL: "down" */
    const struct strv *named;     /* only these volumes; NULL: the whole environment */
    const struct strv *instances; /* only these, and with `volumes` their data; NULL likewise */
    int64_t lock_wait_ms;
    unsigned parallel;
    const char *fault; /* fault.h; NULL: none */
    bool force;        /* without etcd's lock, when etcd does not answer or another holds it */
    const struct catalog *catalog; /* for the order; NULL: not known */
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

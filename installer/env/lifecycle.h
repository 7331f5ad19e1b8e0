/* SPDX-License-Identifier: MIT */
/* Making, changing and removing an environment: what plan, up, down and remove are. */
#ifndef ENV_LIFECYCLE_H
#define ENV_LIFECYCLE_H

#include "env/env.h"
#include "plan/converge.h"

/* What each verb may be told; zero is fine. */
struct env_run {
    int64_t lock_wait_ms; /* how long to wait for another run that holds the lock */
    unsigned parallel;    /* calls under way at once; 0: the default */
    int64_t revision;     /* of the document as it was seen: at another one `up` refuses before it
                             changes anything, ERR_CONFLICT; 0: whatever there is */
    const char *fault;    /* a failpoint of the tests, plan/fault.h; NULL: none */
    struct execute_events events;
    /* Asked with each plan under the lock before it is carried out: what is there then, not what
     * was there when the verb began. Non-zero with *e filled refuses it. NULL: nobody is asked. */
    int (*approve)(void *arg, const struct plan *p, struct err *e);
    void *approve_arg;
};

/* What `up` would do; the environment's engine refuses every change from then on. Needs SPEC and
 * ENGINE; converge_clear. */
int env_plan(struct converge_view *v, struct env *env, struct err *e);
/* Makes or changes the environment until it is as described. Needs SPEC and ENGINE. In every case
 * result->done says how much was done; ERR_PARTIAL: some, run it again. */
int env_up(struct execute_result *result, struct env *env, const struct env_run *run,
           struct err *e);

/* What one instance needs to be there and to run, by the plan of `up`: no keys, no image, no data,
 * and no other container because the document says another one. */
struct env_keep {
    const char *instance;
    bool restart;               /* also one that runs */
    bool blind;                 /* etcd is silent, since it is what is dead: it is only started */
    struct etcd_fence fence;    /* the lock is taken only while it holds */
    struct execute_guard guard; /* asked before each operation */
    const char *fault;          /* plan/fault.h; NULL: none */
};
enum env_kept { ENV_KEPT_MADE = 1, ENV_KEPT_STARTED = 2, ENV_KEPT_REPLACED = 4, ENV_KEPT_LINK = 8 };
/* *done: a set of enum env_kept, 0: there was nothing to do. Needs SPEC and ENGINE. ERR_LOCKED:
 * another run holds the lock, or may not be disturbed; ERR_NOTFOUND: data or image is not there,
 * which is never made; ERR_CONFLICT: somebody wants it left alone, or something is in the way. */
int env_keep(unsigned *done, struct env *env, const struct env_keep *o, struct err *e);
/* What a person would look up first: how its container is, and after a line's end its last lines.
 * Needs CONTAINERS. */
struct buf;
void env_keep_cause(struct buf *b, struct env *env, const char *instance);
/* Remembers which of the environment's data there is, for one that did not make it (env_opts.self):
 * what is missing one day is then known to be lost. Needs SPEC and ENGINE. `up` does it, too. */
int env_note_data(struct env *env, struct err *e);

struct env_down {
    bool volumes;             /* the data too */
    const struct strv *named; /* only these volumes; NULL: the whole environment */
    bool force;               /* go on without the lock when etcd does not give it */
};
/* Removes what the environment made. Needs NAME and ENGINE. ERR_NOTFOUND: there is none of that
 * name. */
int env_down(struct execute_result *result, struct env *env, const struct env_down *o,
             const struct env_run *run, struct err *e);

struct env_remove {
    const struct strv *words; /* instances, by name */
    bool volumes;             /* their data too */
    bool force;               /* also those that run; else ERR_CONFLICT */
};
/* Removes single instances' containers, so that the next `up` makes new ones. Needs NAME and
 * CONTAINERS. */
int env_remove(struct execute_result *result, struct env *env, const struct env_remove *o,
               const struct env_run *run, struct err *e);

#endif

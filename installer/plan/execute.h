/* SPDX-License-Identifier: MIT */
/*
 * Execute: runs the DAG as parallel as it allows. Workers make the calls, each with its own
 * connections; the calling thread polls the waits, so that waiting holds no worker.
 */
#ifndef PLAN_EXECUTE_H
#define PLAN_EXECUTE_H

#include "engine/engine.h"
#include "engine/images.h"
#include "plan/lock.h"
#include "plan/plan.h"

enum op_state {
    OP_STATE_PLANNED,
    OP_STATE_STARTED,
    OP_STATE_DONE,
    OP_STATE_FAILED,
    OP_STATE_SKIPPED
};

struct execute_events {
    void (*begin)(void *arg, const struct plan *p);
    /* From any thread, one at a time and in order; no lock is held, so it may take its time.
     * `detail` may be NULL. */
    void (*change)(void *arg, const struct plan *p, size_t op, enum op_state state,
                   const char *detail);
    void *arg;
};

/* Asked before each operation, from any thread: not 0 with *e filled and nothing more is begun. For
 * who may act only as long as something else holds. NULL: nobody is asked. */
struct execute_guard {
    int (*ask)(void *arg, struct err *e);
    void *arg;
};

struct execute_opts {
    const char *folder; /* of the environment's files */
    const char *user;   /* for the audit */
    const struct env_key *key;
    struct etcd *etcd; /* as root, logged in, for the calling thread alone; NULL: none */
    const struct node *containers; /* of the environment: where etcd is, for a plan that removes */
    struct env_lock *lock;
    const struct images_opts *images; /* NULL when the plan builds none */
    unsigned parallel;                /* workers; 0: 8 */
    const char *fault;                /* a failpoint, journal.h; NULL: none */
    bool unwritten; /* goes on where the journal's file cannot be written, journal.h */
    struct execute_guard guard;
    struct execute_events events;
    struct strv *still_unhealthy; /* takes the names of instances that stayed as unwell as before */
};

struct execute_result {
    size_t done, total;
};

/*
 * What bounds `g` bounds the run. 0: everything is done. Else the first error (all are reported as
 * events): ERR_INTERRUPTED after a first cancel, when running operations were finished, and after
 * an abort, which ended the calls under way; ERR_LOCKED when the lock was lost. result->done says
 * whether anything was changed.
 */
int execute_plan(struct execute_result *result, const struct plan *p, struct engine *g,
                 const struct execute_opts *o, struct err *e);

#endif

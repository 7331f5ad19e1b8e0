/* SPDX-License-Identifier: MIT */
/* Inside execute: the state of one run, its workers, and the operations (op_engine.c, op_etcd.c,
 * wait.c). */
#ifndef PLAN_RUN_H
#define PLAN_RUN_H

#include <pthread.h>

#include "plan/execute.h"
#include "plan/journal.h"

struct run {
    const struct plan *plan;
    const struct execute_opts *o;
    struct engine *g;   /* of the calling thread */
    struct until until; /* of the whole run */
    struct journal *journal;
    struct link *root;     /* link to etcd as root, NULL while there is none */
    pthread_mutex_t mutex; /* guards everything below */
    pthread_cond_t cond;   /* something below changed */
    enum op_state *state;
    size_t running, done, finished;
    int64_t called_at; /* when the last call began or ended */
    bool stop, etcd_ready;
    bool failed, aborted;
    bool told_cancel; /* what a first cancel waits for */
    struct err first; /* the first error */
    struct run_event *events, *last_event;
    bool is_telling; /* a thread hands the events on */
};

/* One thread's connections. */
struct worker {
    struct run *r;
    enum op_side side; /* whose operations it takes */
    struct engine *g;
    struct etcd *c; /* opened when first needed; bounded as `g` is */
};

/* etcd as root, opened once per worker. NULL in *out is never left on success. */
int worker_etcd(struct etcd **out, struct worker *w, struct err *e);
/* With the mutex held: an event to be told, in this order. */
void run_queue(struct run *r, size_t op, enum op_state state, const char *detail);
/* With the mutex held, and without it for as long as a callback takes: tells what is queued, unless
 * another thread is at it, which then tells this too. */
void run_tell(struct run *r);
/* With the mutex held, and without it to tell: says once what a first cancel waits for. A drain
 * takes as long as the data that it moves. */
void run_tell_cancel(struct run *r);
/* Tells the events about a running operation. */
void run_detail(struct run *r, const struct op *op, const char *detail);

/* The work of each kind. */
int op_run(struct worker *w, const struct op *op, struct err *e);
#define OP(kind, sign, noun, verb, side, run, traits)                                              \
    int run(struct worker *w, const struct op *op, struct err *e);
#include "plan/ops.def"
#undef OP
/* Starts the container of an instance that was stopped to be replaced; one that was set aside comes
 * back in its successor's place first. */
int op_roll_back(struct worker *w, const struct op *op, struct err *e);

/* One look at everything that is waited for: what came true, what failed. */
struct waiter;
struct waiter *waiter_new(struct run *r);
void waiter_free(struct waiter *w);
enum wait_result { WAIT_RESULT_NOT_YET, WAIT_RESULT_DONE, WAIT_RESULT_FAILED };
/* Refreshes what the checks below look at; cheap, called each round. */
void waiter_look(struct waiter *w);
enum wait_result waiter_check(struct waiter *w, size_t op, struct err *e);

/* "exit status 1, restarted 3 times; last log lines: ..." of a container, appended. */
void diagnose_instance(struct buf *b, struct engine *g, const char *container);

#endif

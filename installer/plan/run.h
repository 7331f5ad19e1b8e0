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
    struct engine *g; /* of the calling thread */
    struct journal *journal;
    struct link *root;     /* link to etcd as root, NULL while there is none */
    pthread_mutex_t mutex; /* guards everything below */
    pthread_cond_t cond;   /* something below changed */
    enum op_state *state;
    size_t running, done, finished;
    int64_t called_at; /* when the last call began or ended */
    bool stop, etcd_ready;
    bool failed;
    struct err first; /* the first error */
};

/* One thread's connections. */
struct worker {
    struct run *r;
    enum op_side side; /* whose operations it takes */
    struct engine *g;
    struct etcd *c; /* opened when first needed */
};

/* etcd as root, opened once per worker. NULL in *out is never left on success. */
int worker_etcd(struct etcd **out, struct worker *w, struct err *e);
/* Tells the events about a running operation. */
void run_detail(struct run *r, const struct op *op, const char *detail);

/* The work of each kind. */
int op_run(struct worker *w, const struct op *op, struct err *e);
int op_image_build(struct worker *w, const struct op *op, struct err *e);
int op_network_create(struct worker *w, const struct op *op, struct err *e);
int op_volume_create(struct worker *w, const struct op *op, struct err *e);
int op_instance_create(struct worker *w, const struct op *op, struct err *e);
int op_link_put(struct worker *w, const struct op *op, struct err *e);
int op_link_send(struct worker *w, const struct op *op, struct err *e);
int op_instance_start(struct worker *w, const struct op *op, struct err *e);
int op_lock_take(struct worker *w, const struct op *op, struct err *e);
int op_role_ensure(struct worker *w, const struct op *op, struct err *e);
int op_user_ensure(struct worker *w, const struct op *op, struct err *e);
int op_keys_push(struct worker *w, const struct op *op, struct err *e);
int op_spec_push(struct worker *w, const struct op *op, struct err *e);
int op_instance_stop(struct worker *w, const struct op *op, struct err *e);
int op_instance_rename(struct worker *w, const struct op *op, struct err *e);
int op_instance_drain(struct worker *w, const struct op *op, struct err *e);
int op_instance_remove(struct worker *w, const struct op *op, struct err *e);
int op_keys_remove(struct worker *w, const struct op *op, struct err *e);
int op_network_remove(struct worker *w, const struct op *op, struct err *e);
int op_volume_remove(struct worker *w, const struct op *op, struct err *e);
int op_home_remove(struct worker *w, const struct op *op, struct err *e);
/* Brings the set-aside container of an instance back. */
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
void story_of_instance(struct buf *b, struct engine *g, const char *container);

#endif

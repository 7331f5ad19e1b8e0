/* SPDX-License-Identifier: MIT */
#include "plan/execute.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/thread.h"
#include "plan/connect.h"
#include "plan/object.h"
#include "plan/run.h"

/* BUSY_ROUND_MS: between two looks while nothing waits for what they may find; QUICK_ROUND_MS: for
 * QUICK_FOR_MS after the last call, when what has just been started gets ready. */
enum {
    WORKERS_DEFAULT = 8,
    WORKERS_MAX = 32,
    ETCD_WORKERS = 2,
    QUICK_ROUND_MS = 8,
    QUICK_FOR_MS = 200,
    ROUND_MS = 25,
    BUSY_ROUND_MS = 500
};

static bool deps_done(const struct run *r, const struct op *op)
{
    for (size_t i = 0; i < op->dep_count; i++)
        if (r->state[op->deps[i]] != OP_STATE_DONE)
            return false;
    return true;
}

static void set_etcd_away(struct run *r, bool away)
{
    journal_set_etcd_away(r->journal, away);
    if (r->o->lock)
        lock_set_etcd_away(r->o->lock, away);
}

static bool stops_etcd(const struct op *op)
{
    return op->kind == OP_KIND_INSTANCE_STOP && op->instance &&
           strcmp(op->instance->spec->manifest->name, ETCD_COMPONENT) == 0;
}

/* With the mutex held. */
static void set_state(struct run *r, size_t op, enum op_state state, const struct err *e)
{
    r->state[op] = state;
    if (!op_is_wait(r->plan->ops[op].kind))
        r->called_at = clock_now_ms();
    if (state == OP_STATE_DONE || state == OP_STATE_FAILED || state == OP_STATE_SKIPPED)
        r->finished++;
    if (state == OP_STATE_DONE && !op_is_wait(r->plan->ops[op].kind) &&
        r->plan->ops[op].kind != OP_KIND_LOCK_TAKE)
        r->done++;
    if (state == OP_STATE_DONE && r->plan->ops[op].kind == OP_KIND_ETCD_WAIT) {
        r->etcd_ready = true;
        set_etcd_away(r, false);
    }
    if (state == OP_STATE_STARTED && stops_etcd(&r->plan->ops[op]))
        set_etcd_away(r, true);
    if (state == OP_STATE_FAILED) {
        if (!r->failed)
            r->first = *e;
        r->failed = r->stop = true;
    }
    run_queue(r, op, state, e ? e->msg : NULL);
    pthread_cond_broadcast(&r->cond);
}

/* The next operation of that side that is not a wait and could run now; -1 when there is none. With
 * the mutex held. */
static long next_ready(const struct run *r, enum op_side side)
{
    if (r->stop)
        return -1;
    for (size_t i = 0; i < r->plan->count; i++)
        if (r->state[i] == OP_STATE_PLANNED && !op_is_wait(r->plan->ops[i].kind) &&
            op_side(r->plan->ops[i].kind) == side && deps_done(r, &r->plan->ops[i]))
            return (long)i;
    return -1;
}

static bool nothing_left(const struct run *r)
{
    return r->stop ? r->running == 0 : r->finished == r->plan->count;
}

/* A call given up may still be carried out. */
static const char *end_state(int result, const struct err *e)
{
    if (result == 0)
        return "done";
    return err_retryable(e) || e->code == ERR_INTERRUPTED ? "unanswered" : "failed";
}

static int run_journalled(struct worker *w, const struct op *op, struct err *e)
{
    struct run *run = w->r;
    struct err second;
    int r;

    if (lock_is_taken(run->o->lock) && lock_is_lost(run->o->lock))
        return err_set(e, ERR_LOCKED, "the lock of environment %s was lost", run->plan->env);
    if (journal_write(run->journal, op, "started", e) < 0)
        return err_wrap(e, "journal");
    r = op_run(w, op, e);
    if (journal_write(run->journal, op, end_state(r, e), r == 0 ? e : &second) < 0 && r == 0)
        return err_wrap(e, "journal");
    if (r < 0) {
        auto_free char *title = op_title(op);

        return err_wrap(e, "%s", title);
    }
    return 0;
}

/* With the mutex held. A call that an abort ended has not failed: nobody knows what came of it. */
static void end_op(struct run *r, size_t op, int result, const struct err *e)
{
    if (result == 0)
        set_state(r, op, OP_STATE_DONE, NULL);
    else if (e->code == ERR_INTERRUPTED && until_is_aborted(r->until))
        set_state(r, op, OP_STATE_SKIPPED, NULL);
    else
        set_state(r, op, OP_STATE_FAILED, e);
}

/* With the mutex held. */
static void stop_with(struct run *r, const struct err *e)
{
    r->first = *e;
    r->failed = r->stop = true;
    pthread_cond_broadcast(&r->cond);
}

/* With the mutex held: whatever else failed, this is what ended the run. */
static void stop_aborted(struct run *r)
{
    struct err e;

    if (r->aborted)
        return;
    r->aborted = true;
    err_set(&e, ERR_INTERRUPTED,
            "interrupted again and stopped at once; Docker may still carry out what it was asked; "
            "run the command again to go on");
    stop_with(r, &e);
}

/* With the mutex held. */
static void check_until(struct run *r)
{
    struct err e;

    if (until_is_aborted(r->until))
        stop_aborted(r);
    if (r->failed)
        return;
    if (until_is_cancelled(r->until))
        err_set(&e, ERR_INTERRUPTED,
                "interrupted; what was running is finished, run the command again to go on");
    else if (until_passed(r->until))
        err_set(&e, ERR_TIMEOUT, "the deadline of the whole run passed");
    else
        return;
    stop_with(r, &e);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct run *r = w->r;

    pthread_mutex_lock(&r->mutex);
    while (!nothing_left(r)) {
        struct err e = {0};
        int result;
        long op;

        check_until(r); /* the calling thread may not have seen yet that it is cancelled */
        op = next_ready(r, w->side);
        if (op < 0) {
            if (!nothing_left(r))
                pthread_cond_wait(&r->cond, &r->mutex);
            continue;
        }
        r->running++;
        set_state(r, (size_t)op, OP_STATE_STARTED, NULL);
        run_tell(r);
        pthread_mutex_unlock(&r->mutex);
        result = run_journalled(w, &r->plan->ops[op], &e);
        pthread_mutex_lock(&r->mutex);
        r->running--;
        end_op(r, (size_t)op, result, &e);
        run_tell(r);
    }
    pthread_cond_broadcast(&r->cond);
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

/* The old container of what `op` waits for is back and runs; else *e says also why it is not. */
static int put_back(struct run *run, const struct op *op, struct err *e)
{
    struct worker w = {.r = run, .g = run->g};
    struct err back;
    int r;

    /* Also when it is the deadline of the run that ended the wait. */
    engine_set_until(run->g, until_no_deadline(run->until));
    r = op_roll_back(&w, op, &back);
    if (r < 0)
        err_wrap(e, "bringing the old container of %s back failed too (%s)", op->target, back.msg);
    engine_set_until(run->g, run->until);
    etcd_close(w.c);
    return r;
}

static void fail_wait(struct run *r, size_t i, struct err *e)
{
    const struct op *op = &r->plan->ops[i];

    if (!op->replaces)
        return;
    log_warn("%s did not become healthy; the container set aside is brought back", op->target);
    if (put_back(r, op, e) == 0)
        err_wrap(e, "%s runs as before", op->target);
}

/* With the mutex held; lets go of it for the look. */
static void poll_waits(struct run *r, struct waiter *waiter)
{
    bool any = false;

    for (size_t i = 0; i < r->plan->count && !r->stop; i++)
        if (r->state[i] == OP_STATE_PLANNED && op_is_wait(r->plan->ops[i].kind) &&
            deps_done(r, &r->plan->ops[i]))
            set_state(r, i, OP_STATE_STARTED, NULL);
    for (size_t i = 0; i < r->plan->count; i++)
        any = any || (r->state[i] == OP_STATE_STARTED && op_is_wait(r->plan->ops[i].kind));
    if (!any)
        return;
    pthread_mutex_unlock(&r->mutex);
    waiter_look(waiter);
    pthread_mutex_lock(&r->mutex);
    for (size_t i = 0; i < r->plan->count; i++) {
        struct err e = {0};
        enum wait_result result;

        if (r->stop || r->state[i] != OP_STATE_STARTED || !op_is_wait(r->plan->ops[i].kind))
            continue;
        pthread_mutex_unlock(&r->mutex);
        result = waiter_check(waiter, i, &e);
        if (result == WAIT_RESULT_FAILED)
            fail_wait(r, i, &e);
        pthread_mutex_lock(&r->mutex);
        if (result != WAIT_RESULT_NOT_YET)
            set_state(r, i, result == WAIT_RESULT_DONE ? OP_STATE_DONE : OP_STATE_FAILED,
                      result == WAIT_RESULT_DONE ? NULL : &e);
    }
}

/* Whether an operation comes after a wait that is under way. */
static bool somebody_waits(const struct run *r)
{
    for (size_t i = 0; i < r->plan->count; i++) {
        const struct op *op = &r->plan->ops[i];

        for (size_t k = 0; r->state[i] == OP_STATE_PLANNED && k < op->dep_count; k++)
            if (r->state[op->deps[k]] == OP_STATE_STARTED &&
                op_is_wait(r->plan->ops[op->deps[k]].kind))
                return true;
    }
    return false;
}

/* A look costs etcd and this machine the time that the calls under way
 * need; with the mutex held. */
static int64_t round_ms(const struct run *r)
{
    if (r->running > 0)
        return somebody_waits(r) ? ROUND_MS : BUSY_ROUND_MS;
    return clock_now_ms() - r->called_at < QUICK_FOR_MS ? QUICK_ROUND_MS : ROUND_MS;
}

/* The calling thread: waits, cancel, deadline. */
static void supervise(struct run *r)
{
    struct waiter *waiter = waiter_new(r);
    int64_t looked_at = 0;

    pthread_mutex_lock(&r->mutex);
    while (!nothing_left(r)) {
        int64_t left = looked_at + round_ms(r) - clock_now_ms();

        if (left > 0)
            pool_cond_wait(&r->cond, &r->mutex, left < ROUND_MS ? left : ROUND_MS);
        check_until(r);
        run_tell_cancel(r);
        run_tell(r);
        /* Every change wakes this thread too; a look at etcd and Docker is not for each of them. */
        if (clock_now_ms() - looked_at < round_ms(r))
            continue;
        poll_waits(r, waiter);
        looked_at = clock_now_ms();
    }
    pthread_cond_broadcast(&r->cond);
    pthread_mutex_unlock(&r->mutex);
    waiter_free(waiter);
}

static int start_thread(pthread_t *thread, struct worker *w, struct err *e)
{
    errno = thread_start(thread, NULL, work, w);
    return errno ? err_sys(e, "starting a thread") : 0;
}

/* Some workers are at work already: their journal stays. */
static void give_up_early(struct run *r, const struct err *e)
{
    pthread_mutex_lock(&r->mutex);
    stop_with(r, r->failed ? &r->first : e);
    pthread_mutex_unlock(&r->mutex);
}

static int run_threads(struct run *run, unsigned engine_workers, struct err *e)
{
    struct worker workers[WORKERS_MAX + ETCD_WORKERS] = {{0}};
    pthread_t threads[WORKERS_MAX + ETCD_WORKERS];
    unsigned started = 0;
    int r = 0;

    for (; r == 0 && started < engine_workers + ETCD_WORKERS; started++) {
        workers[started].r = run;
        workers[started].side = started < ETCD_WORKERS ? OP_SIDE_ETCD : OP_SIDE_ENGINE;
        if (engine_clone(&workers[started].g, run->g, e) < 0 ||
            start_thread(&threads[started], &workers[started], e) < 0) {
            engine_close(workers[started].g);
            r = -1;
            break;
        }
    }
    if (r == 0)
        supervise(run);
    else
        give_up_early(run, e);
    for (unsigned i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        engine_close(workers[i].g);
        etcd_close(workers[i].c);
    }
    return r;
}

/* Whether this run took the container away, or began to, that `wait` would bring back: stopped it,
 * set it aside, or went on where an earlier run had. */
static bool took_away(const struct run *r, const struct op *wait)
{
    static const enum op_kind kinds[] = {OP_KIND_INSTANCE_STOP, OP_KIND_INSTANCE_RENAME,
                                         OP_KIND_INSTANCE_CREATE, OP_KIND_INSTANCE_START};

    for (size_t i = 0; i < r->plan->count; i++)
        for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
            if (r->plan->ops[i].kind == kinds[k] &&
                (r->state[i] == OP_STATE_DONE || r->state[i] == OP_STATE_FAILED) &&
                strcmp(r->plan->ops[i].target, wait->target) == 0)
                return true;
    return false;
}

/* A failed run leaves no instance stopped whose successor failed, and no successor running that
 * nobody saw healthy: what was taken away comes back. An interrupted one leaves all as it is, for
 * the next run to go on. */
static void bring_back(struct run *r)
{
    auto_strv struct strv back = {0};

    if (!r->failed || r->first.code == ERR_INTERRUPTED || r->first.code == ERR_LOCKED)
        return;
    for (size_t i = 0; i < r->plan->count; i++) {
        const struct op *op = &r->plan->ops[i];

        if (op->replaces && (r->state[i] == OP_STATE_PLANNED || r->state[i] == OP_STATE_STARTED) &&
            took_away(r, op) && put_back(r, op, &r->first) == 0)
            strv_add(&back, op->target);
    }
    if (back.count) {
        auto_free char *names = strv_join(&back, ", ");

        err_wrap(&r->first, "%s %s as before", names, back.count == 1 ? "runs" : "run");
    }
}

/* After the threads are gone: what never ran is skipped, and the journal goes or stays. */
static void conclude(struct run *r)
{
    bring_back(r);
    pthread_mutex_lock(&r->mutex);
    for (size_t i = 0; i < r->plan->count; i++)
        if (r->state[i] == OP_STATE_PLANNED || r->state[i] == OP_STATE_STARTED)
            set_state(r, i, OP_STATE_SKIPPED, NULL);
    run_tell(r);
    pthread_mutex_unlock(&r->mutex);
    if (!r->failed)
        journal_finish(r->journal);
}

static unsigned worker_count(const struct plan *p, unsigned wanted)
{
    unsigned n = wanted ? wanted : WORKERS_DEFAULT;

    if (n > p->count)
        n = (unsigned)p->count;
    return n > WORKERS_MAX ? WORKERS_MAX : n;
}

static bool needs_etcd(const struct plan *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (op_side(p->ops[i].kind) == OP_SIDE_ETCD)
            return true;
    return false;
}

/* A plan that removes may take etcd itself away: only what it does there is a reason to speak to
 * it. */
static int root_link(struct run *r, struct err *e)
{
    const struct plan *p = r->plan;
    auto_free char *text = NULL;

    if (!p->desired && !needs_etcd(p))
        return 0;
    if (!p->desired) {
        if (connect_root_link(&r->root, r->o->containers, p->env, r->o->key, e) < 0)
            return -1;
    } else if (desired_link(&text, p->desired, "root", e) < 0 ||
               link_parse(&r->root, text, e) < 0) {
        return -1;
    }
    r->root->token = mem_strdup(r->o->etcd ? etcd_token(r->o->etcd) : NULL);
    return 0;
}

static int open_journal(struct run *r, struct err *e)
{
    struct journal_opts jo = {.env = r->plan->env,
                              .folder = r->o->folder,
                              .lock = r->o->lock,
                              .root = r->root,
                              .until = until_no_deadline(r->until),
                              .fault = r->o->fault,
                              .unwritten = r->o->unwritten};

    return journal_open(&r->journal, &jo, e);
}

int execute_plan(struct execute_result *result, const struct plan *p, struct engine *g,
                 const struct execute_opts *o, struct err *e)
{
    struct run r = {.plan = p, .o = o, .g = g, .until = engine_until(g)};
    int failed;

    *result = (struct execute_result){.total = p->count};
    if (p->count == 0)
        return 0;
    if (root_link(&r, e) < 0 || open_journal(&r, e) < 0) {
        link_free(r.root);
        return -1;
    }
    r.etcd_ready = true;
    for (size_t i = 0; i < p->count; i++)
        r.etcd_ready = r.etcd_ready && p->ops[i].kind != OP_KIND_ETCD_WAIT;
    r.state = mem_array(p->count, sizeof(*r.state));
    pthread_mutex_init(&r.mutex, NULL);
    pool_cond_init(&r.cond);
    if (o->events.begin)
        o->events.begin(o->events.arg, p);
    failed = run_threads(&r, worker_count(p, o->parallel), e);
    conclude(&r);
    result->done = r.done;
    if (failed == 0 && r.failed) {
        *e = r.first;
        failed = -1;
    }
    journal_close(r.journal);
    link_free(r.root);
    free(r.state);
    pthread_mutex_destroy(&r.mutex);
    pthread_cond_destroy(&r.cond);
    return failed;
}

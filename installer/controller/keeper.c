/* SPDX-License-Identifier: MIT */
#include "controller/keeper.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/thread.h"
#include "controller/controller.h"
#include "controller/kept.h"
#include "env/lifecycle.h"
#include "plan/object.h"
#include "plan/audit.h"

enum {
    TICK_MS = 500,          /* while something is not well, */
    CALM_MS = 60000,        /* and else: looks come by themselves */
    LOCKED_AGAIN_MS = 2000, /* another run has the lock */
    AWAY_AGAIN_MS = 5000,   /* Docker or etcd did not answer */
    CAUSE_MAX = 16 << 10,
    REASON_MAX = 300,  /* bytes of what a container says; they stay in the history */
    EXPLAIN_MS = 5000, /* until it is asked again what has no lines */
};

void keeper_clear(struct keeper *k)
{
    kept_forget(&k->kept, NULL);
    node_free(k->rows);
    env_close(k->catalog);
    leader_clear(&k->leader);
    pthread_cond_destroy(&k->cond);
    pthread_mutex_destroy(&k->mutex);
}

/* ---- for the view ---- */

static void on_rows(void *arg, struct node *rows)
{
    struct keeper *k = arg;

    pthread_mutex_lock(&k->mutex);
    for (size_t i = 0; k->started && i < rows->count; i++) {
        const struct kept *one = kept_find(k->kept, node_get_text(rows->items[i], "instance"));

        if (one)
            kept_decorate(rows->items[i], one);
    }
    pthread_mutex_unlock(&k->mutex);
}

/* With etcd silent, only what is dead of etcd itself is known to be so; and only as it was seen
 * last is it known whether somebody wants that, or is at work on it. With the mutex. */
static struct node *dead_etcd(const struct keeper *k, const struct node *rows)
{
    struct node *dead = node_new_list();
    const struct node *row;

    node_for_each (row, rows) {
        const struct kept *one = kept_find(k->kept, node_get_text(row, "instance"));

        if (one && !one->record.was_held && !one->held && !k->paused && !k->locked &&
            node_text_is(row, "component", ETCD_COMPONENT) &&
            node_text_is(row, "container", "exited"))
            node_add(dead, node_copy(row));
    }
    return dead;
}

static void on_look(void *arg, const struct node *rows, const struct node *environment,
                    int64_t began)
{
    struct keeper *k = arg;

    pthread_mutex_lock(&k->mutex);
    node_free(k->rows);
    k->blind = !node_get_bool(node_get(environment, "etcd"), "answers", false);
    k->rows = !environment ? NULL : k->blind ? dead_etcd(k, rows) : node_copy(rows);
    if (!k->blind)
        k->paused =
            began <= k->held || node_get_bool(node_get(environment, "keeper"), "paused", false);
    k->looked = began;
    k->wanted = true;
    pthread_cond_signal(&k->cond);
    pthread_mutex_unlock(&k->mutex);
}

void keeper_init(struct keeper *k, struct controller *c)
{
    *k = (struct keeper){.c = c};
    pthread_mutex_init(&k->mutex, NULL);
    pool_cond_init(&k->cond);
    leader_init(&k->leader, c);
    c->view.follower = (struct view_follower){on_rows, on_look, k};
}

void keeper_hold(struct keeper *k, const char *instance)
{
    pthread_mutex_lock(&k->mutex);
    if (instance)
        kept_remember(&k->kept, instance)->held = clock_now_ms();
    else
        k->held = clock_now_ms();
    k->paused = k->paused || !instance;
    pthread_mutex_unlock(&k->mutex);
}

void keeper_set_locked(struct keeper *k, bool locked)
{
    pthread_mutex_lock(&k->mutex);
    k->locked = locked;
    pthread_mutex_unlock(&k->mutex);
}

void keeper_forgive(struct keeper *k)
{
    pthread_mutex_lock(&k->mutex);
    for (struct kept *one = k->kept; one; one = one->next)
        keep_forgive(&one->record);
    k->wanted = true;
    pthread_cond_signal(&k->cond);
    pthread_mutex_unlock(&k->mutex);
}

/* ---- telling ---- */

static void write_audit(struct env *env, const struct etcd_fence *fence, const char *component,
                        const char *instance, const char *text)
{
    auto_node struct node *detail = node_new_map();
    auto_free char *target = mem_printf("%s/%s", component, instance);
    struct etcd_txn *t = etcd_txn_new();
    struct err e;

    node_set_text(detail, "target", target);
    etcd_txn_if(t, fence->key, ETCD_CMP_CREATE_EQ, fence->create_revision);
    audit_add(t, env->name, env->user, text, detail);
    if (env_need(env, ENV_NEEDS_ETCD, &e) < 0 || etcd_txn_run(env->etcd, t, NULL, &e) < 0)
        err_drop(&e, "writing down what was mended");
    etcd_txn_free(t);
}

/* In the log, in the stream and in the history. */
static void tell(struct keeper *k, struct env *env, const struct etcd_fence *fence,
                 const struct node *row, const char *text)
{
    auto_node struct node *n = node_new_map();
    char now[32];

    clock_format(now, clock_wall_ms());
    node_set_text(n, "time", now);
    node_set_text(n, "instance", node_get_text(row, "instance"));
    node_set_text(n, "text", text);
    log_info("%s", text);
    events_publish(&k->c->events, "keeper", ACCESS_ROLE_VIEWER, n);
    write_audit(env, fence, node_get_text(row, "component"), node_get_text(row, "instance"), text);
}

/* "echo-1 had died (status 137)", owned. */
static char *what_was_wrong(const struct node *row)
{
    const char *name = node_get_text(row, "instance"), *reason = node_get_text(row, "reason");
    const char *container = node_get_text(row, "container");

    if (strcmp(container, "missing") == 0)
        return mem_printf("%s had no container any more", name);
    if (node_get_bool(row, "drifted", false))
        return mem_printf("%s had lost its place in the network", name);
    if (strcmp(container, "running") != 0 && node_get(row, "exit"))
        return mem_printf("%s had died (status %" PRId64 ")", name, node_get_int(row, "exit", 0));
    if (strcmp(container, "running") != 0)
        return mem_printf("%s did not run (%s)", name, container);
    if (node_text_is(row, "state", "silent"))
        return mem_printf("%s had not reported", name);
    return mem_printf("%s was unhealthy%s%.*s", name, reason ? ": " : "", REASON_MAX,
                      reason ? reason : "");
}

static const char *what_was_done(unsigned done)
{
    if (done & ENV_KEPT_MADE)
        return "made again";
    if (done & ENV_KEPT_REPLACED)
        return "restarted";
    return done & ENV_KEPT_STARTED ? "started again" : "given its link again";
}

/* ---- acting ---- */

static int open_env(struct env **env, const struct keeper *k, unsigned needs, struct err *e)
{
    struct env_opts o = k->c->env;

    o.user = "slipwayd";
    o.cancel = &k->c->stop;
    return env_open(env, &o, needs, e);
}

static void set_cause(struct keeper *k, struct kept *one, const char *cause)
{
    pthread_mutex_lock(&k->mutex);
    free(one->cause);
    one->cause = mem_strdup(cause);
    pthread_mutex_unlock(&k->mutex);
}

static void set_next_wall(struct kept *one, int64_t now)
{
    one->next_wall = clock_wall_ms() + one->record.next - now;
}

static void put_off(struct kept *one, int64_t now, int64_t ms)
{
    keep_put_off(&one->record, now, ms);
    set_next_wall(one, now);
}

/* What came of a try. */
static void conclude(struct keeper *k, struct kept *one, int r, unsigned done, const struct err *e)
{
    int64_t now = clock_now_ms();

    pthread_mutex_lock(&k->mutex);
    one->acted = now;
    k->locked_until = r < 0 && e->code == ERR_LOCKED ? now + LOCKED_AGAIN_MS : 0;
    one->lost = r < 0 && e->code == ERR_NOTFOUND;
    if (r < 0 && e->code == ERR_LOCKED)
        keep_put_off(&one->record, now, LOCKED_AGAIN_MS);
    else if (r < 0 && (e->code == ERR_NET || e->code == ERR_TIMEOUT || e->code == ERR_INTERRUPTED))
        keep_put_off(&one->record, now, AWAY_AGAIN_MS);
    else if (r < 0 || done) {
        keep_tried(&one->record, now);
        one->failed = r < 0;
    } else
        keep_put_off(&one->record, now, AWAY_AGAIN_MS); /* it was mended meanwhile */
    set_next_wall(one, now);
    pthread_mutex_unlock(&k->mutex);
}

static void act(struct keeper *k, struct kept *one, const struct node *row, enum keep_act what,
                const struct etcd_fence *fence)
{
    const char *name = node_get_text(row, "instance");
    const struct env_keep o = {.instance = name,
                               .restart = what == KEEP_ACT_RESTART,
                               .blind = k->blind_now,
                               .fence = *fence,
                               .guard = {leader_ask, &k->leader},
                               .fault = k->c->fault};
    auto_free char *wrong = what_was_wrong(row), *text = NULL;
    bool is_new = !one->cause;
    struct env *env = NULL;
    unsigned done = 0;
    struct err e;
    int r = open_env(&env, k, ENV_NEEDS_SPEC | ENV_NEEDS_ENGINE, &e);

    if (r == 0)
        r = env_keep(&done, env, &o, &e);
    if (r == 0 && done)
        text = mem_printf("%s; %s", wrong, what_was_done(done));
    else if (r < 0 && e.code != ERR_LOCKED && e.code != ERR_INTERRUPTED &&
             (is_new || strcmp(one->cause, e.msg) != 0))
        text = mem_printf("%s, and was not mended: %s", wrong, e.msg);
    /* That it is in a loop was told; not each of its starts too. */
    if (text && !(done && one->in_loop))
        tell(k, env, fence, row, text);
    if (r < 0)
        set_cause(k, one, e.msg);
    else if (done)
        set_cause(k, one, wrong);
    conclude(k, one, r, done, &e);
    if (r < 0)
        err_drop(&e, "mending an instance");
    env_close(env);
    view_poke(&k->c->view);
}

/* Why it is in a crash loop, and what it said last. */
static void explain_loop(struct keeper *k, struct kept *one, const struct node *row,
                         const struct etcd_fence *fence)
{
    auto_buf struct buf b = {0};
    auto_strv struct strv lines = {0};
    auto_free char *text = NULL;
    struct env *env = NULL;
    bool first = !one->in_loop;
    struct err e;

    one->in_loop = true;
    one->explain_next = clock_now_ms() + EXPLAIN_MS;
    buf_init(&b, CAUSE_MAX);
    if (open_env(&env, k, ENV_NEEDS_NAME | ENV_NEEDS_CONTAINERS, &e) < 0) {
        err_drop(&e, "why an instance is in a crash loop");
        env_close(env);
        return;
    }
    env_keep_cause(&b, env, one->instance);
    strv_split(&lines, buf_str(&b), "\n");
    pthread_mutex_lock(&k->mutex);
    strv_clear(&one->lines);
    for (size_t i = 1; i < lines.count; i++)
        strv_add(&one->lines, lines.items[i] + strspn(lines.items[i], " "));
    free(one->cause);
    one->cause = mem_printf("%.*s", (int)strcspn(lines.items[0], ";"), lines.items[0]);
    pthread_mutex_unlock(&k->mutex);
    text = mem_printf("%s is in a crash loop: %s", one->instance, one->cause);
    if (first)
        tell(k, env, fence, row, text);
    env_close(env);
    view_poke(&k->c->view);
}

/* ---- deciding ---- */

/* Whether a restart costs others something: its data, or the volumes that it serves. A component
 * that is not known may have data. */
static bool is_needed(struct keeper *k, const char *component)
{
    const struct manifest *m;
    struct err e;

    if (!k->catalog && open_env(&k->catalog, k, ENV_NEEDS_CATALOG, &e) < 0) {
        err_drop(&e, "which components have data");
        env_close(k->catalog);
        k->catalog = NULL;
        return true;
    }
    m = catalog_find(k->catalog->catalog, component);
    return !m || m->data_volumes > 0 || m->role == MANIFEST_ROLE_STORAGE ||
           m->role == MANIFEST_ROLE_DRIVER;
}

/* `paused`: the whole environment. */
static void see(struct keep_seen *s, struct keeper *k, const struct node *row, bool paused)
{
    const char *container = node_get_text(row, "container");
    const struct node *held = node_get(row, "keeper");
    bool runs = strcmp(container, "running") == 0;

    *s = (struct keep_seen){.dead = !runs && strcmp(container, "restarting") != 0 &&
                                    strcmp(container, "paused") != 0,
                            .ok = node_get_bool(row, "ok", false),
                            .drifted = runs && node_get_bool(row, "drifted", false),
                            .silent = runs && node_text_is(row, "state", "silent"),
                            .unhealthy = runs && node_text_is(row, "state", "ready") &&
                                         node_text_is(row, "health", "unhealthy"),
                            .paused = paused || node_get_bool(held, "paused", false),
                            .stopped = node_get_bool(held, "stopped", false),
                            .crashes = node_get_int(row, "crashes", 0)};
    s->is_needed = s->unhealthy && is_needed(k, node_get_text(row, "component"));
}

/* With the mutex. Whoever has the lock has it for all of them: one look for all is enough. */
static enum keep_act choose(const struct keeper *k, struct kept *one, const struct keep_seen *s)
{
    int64_t now = clock_now_ms();
    enum keep_act what = keep_decide(&one->record, s, now);

    if (what == KEEP_ACT_NONE || now >= k->locked_until)
        return what;
    put_off(one, now, k->locked_until - now);
    return KEEP_ACT_NONE;
}

static void decide(struct keeper *k, const struct node *row, int64_t looked, bool paused)
{
    struct etcd_fence fence;
    struct keep_seen s;
    enum keep_act what;
    enum keep_state before, state;
    struct kept *one;
    bool leads = leader_leads(&k->leader, &fence);

    see(&s, k, row, paused);
    pthread_mutex_lock(&k->mutex);
    one = kept_remember(&k->kept, node_get_text(row, "instance"));
    before = one->record.state;
    what = looked > one->acted ? choose(k, one, &s) : KEEP_ACT_NONE;
    if (looked > one->held && !s.paused && !s.stopped && !k->blind_now)
        one->held = 0;
    kept_settle(one, &s);
    state = one->record.state;
    pthread_mutex_unlock(&k->mutex);
    if (!leads)
        return;
    /* One that was just made or has just begun has not said anything yet. */
    if (state == KEEP_STATE_LOOP && !one->failed &&
        (!one->in_loop || (one->lines.count == 0 && clock_passed(one->explain_next))))
        explain_loop(k, one, row, &fence);
    if (what != KEEP_ACT_NONE)
        act(k, one, row, what, &fence);
    else if (state != before)
        view_poke(&k->c->view);
}

static void *run(void *arg)
{
    struct keeper *k = arg;

    pthread_mutex_lock(&k->mutex);
    while (!cancel_count(&k->c->stop)) {
        auto_node struct node *rows = NULL;
        const struct node *row;
        int64_t looked;
        bool paused;

        if (!k->wanted)
            pool_cond_wait(&k->cond, &k->mutex, kept_waits(k->kept) ? TICK_MS : CALM_MS);
        k->wanted = false;
        if (!k->rows)
            continue;
        rows = node_copy(k->rows);
        looked = k->looked;
        paused = k->paused;
        k->blind_now = k->blind;
        if (!k->blind)
            kept_forget(&k->kept, rows);
        pthread_mutex_unlock(&k->mutex);
        node_for_each (row, rows) {
            if (!cancel_count(&k->c->stop))
                decide(k, row, looked, paused);
        }
        pthread_mutex_lock(&k->mutex);
    }
    pthread_mutex_unlock(&k->mutex);
    return NULL;
}

int keeper_start(struct keeper *k, struct err *e)
{
    if (leader_start(&k->leader, e) < 0)
        return -1;
    if (thread_start(&k->thread, NULL, run, k) != 0)
        return err_set(e, ERR_SYS, "a thread could not be started");
    k->started = true;
    return 0;
}

void keeper_stop(struct keeper *k)
{
    pthread_mutex_lock(&k->mutex);
    pthread_cond_signal(&k->cond);
    pthread_mutex_unlock(&k->mutex);
    if (k->started)
        pthread_join(k->thread, NULL);
    leader_stop(&k->leader);
}

/* SPDX-License-Identifier: MIT */
#include "cmd/top_feed.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/thread.h"
#include "cmd/top_events.h"
#include "env/held.h"
#include "env/status.h"
#include "env/usage.h"
#include "env/volumes.h"
#include "plan/object.h"

/* Docker tells of what happens to containers, and nobody of what an agent writes to etcd. What
 * happens at once is read at once. */
enum {
    STATUS_MS = 3000,
    USAGE_MS = 2000,
    FIRST_MS = 700,
    VOLUMES_MS = 5000,
    AGAIN_MS = 1000,
    TOGETHER_MS = 200
};

enum worker { STATUS, USAGE, EVENTS, VOLUMES, WORKERS };

struct top_feed {
    const struct env *env;
    struct cancel cancel; /* of everything but a restart */
    int fd;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t cond;   /* end, hurry, want_volumes, status */
    struct top_news news;
    char *uuid; /* of the environment, for Docker's events */
    bool end, hurry, want_volumes;
    char *restarting;  /* the instance, or NULL */
    bool restart_runs; /* its thread is to be joined */
    pthread_t restart, ids[WORKERS];
    size_t started;
};

void top_news_clear(struct top_news *n)
{
    node_free(n->status);
    node_free(n->usage);
    node_free(n->volumes);
    strv_clear(&n->events);
    free(n->error);
    free(n->volumes_error);
    free(n->done);
    *n = (struct top_news){0};
}

static void ring(const struct top_feed *f)
{
    uint64_t one = 1;

    /* Full means that it is readable already. */
    while (write(f->fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

/* One more of the same environment, for another thread. */
static int open_env(struct env **out, const struct top_feed *f, struct cancel *cancel,
                    unsigned needs, struct err *e)
{
    struct env_opts o = f->env->o;

    o.name = f->env->name;
    o.file = NULL;
    o.timeout_ms = 0;
    o.cancel = cancel;
    return env_open(out, &o, ENV_NEEDS_NAME | needs, e);
}

/* With the mutex held, until `ms` are over, or the end, or `wake` is true. */
static bool rest(struct top_feed *f, int64_t ms, const bool *wake)
{
    int64_t deadline = clock_deadline(ms);

    while (!f->end && !(wake && *wake) && !clock_passed(deadline))
        pool_cond_wait(&f->cond, &f->mutex, clock_left_ms(deadline));
    return !f->end;
}

/* ---- status ---- */

static void take_status(struct top_feed *f, struct node *status, const struct err *e)
{
    free(f->news.error);
    f->news.error = status ? NULL : mem_strdup(e->msg);
    if (!status)
        return;
    top_events_compare(&f->news.events, f->news.status, status);
    node_free(f->news.status);
    f->news.status = status;
    f->news.read_ms = clock_now_ms();
    if (!f->uuid)
        f->uuid = mem_strdup(node_get_text(status, "uuid"));
    pthread_cond_broadcast(&f->cond);
}

static void *run_status(void *arg)
{
    struct top_feed *f = arg;
    struct env *env = NULL;
    struct err e;

    for (bool on = true; on;) {
        struct node *status = NULL;

        if (!env && open_env(&env, f, &f->cancel, ENV_NEEDS_ENGINE, &e) < 0) {
            env_close(env);
            env = NULL;
        } else if (status_read(&status, env, &e) < 0) {
            env_close(steal(env)); /* another Docker, another key: looked for again */
        }
        pthread_mutex_lock(&f->mutex);
        take_status(f, status, &e);
        ring(f);
        on = rest(f, STATUS_MS, &f->hurry);
        if (f->hurry && on) /* what belongs together comes together */
            on = rest(f, TOGETHER_MS, NULL);
        f->hurry = false;
        pthread_mutex_unlock(&f->mutex);
    }
    env_close(env);
    return NULL;
}

/* ---- usage ---- */

static void *run_usage(void *arg)
{
    struct top_feed *f = arg;
    struct engine *g = NULL;
    struct usage *u = NULL;
    struct err e;

    if (engine_clone(&g, f->env->engine, &e) < 0) {
        err_drop(&e, "a connection for what instances use");
        return NULL;
    }
    engine_set_until(g, until_in(CLOCK_NEVER, &f->cancel));
    u = usage_new(g);
    pthread_mutex_lock(&f->mutex);
    while (!f->end) {
        auto_node struct node *rows = NULL;
        bool first = !f->news.usage;
        struct node *seen;

        if (!f->news.status) {
            pool_cond_wait(&f->cond, &f->mutex, USAGE_MS);
            continue;
        }
        rows = node_copy(node_get(f->news.status, "instances"));
        pthread_mutex_unlock(&f->mutex);
        seen = usage_look(u, rows);
        pthread_mutex_lock(&f->mutex);
        node_free(f->news.usage);
        f->news.usage = seen;
        ring(f);
        rest(f, first ? FIRST_MS : USAGE_MS, NULL); /* rates need two looks */
    }
    pthread_mutex_unlock(&f->mutex);
    usage_free(u);
    engine_close(g);
    return NULL;
}

/* ---- events ---- */

static void on_event(void *arg, const struct node *event)
{
    struct top_feed *f = arg;

    pthread_mutex_lock(&f->mutex);
    if (top_events_add(&f->news.events, event))
        ring(f);
    f->hurry = true;
    pthread_cond_broadcast(&f->cond);
    pthread_mutex_unlock(&f->mutex);
}

static bool on_stop(void *arg)
{
    return cancel_count(&((struct top_feed *)arg)->cancel) > 0;
}

static void *run_events(void *arg)
{
    struct top_feed *f = arg;
    struct engine_event_opts o = {.event = on_event, .stop = on_stop, .arg = f};
    auto_free char *label = NULL;
    struct engine *g = NULL;
    struct err e;

    if (engine_clone(&g, f->env->engine, &e) < 0) {
        err_drop(&e, "a connection for Docker's events");
        return NULL;
    }
    engine_set_until(g, until_in(CLOCK_NEVER, &f->cancel));
    pthread_mutex_lock(&f->mutex);
    while (!f->uuid && !f->end)
        pool_cond_wait(&f->cond, &f->mutex, AGAIN_MS);
    if (f->uuid)
        o.label = label = mem_printf("%s=%s", LABEL_ENV, f->uuid);
    while (!f->end) {
        pthread_mutex_unlock(&f->mutex);
        if (engine_events(g, &o, &e) < 0)
            err_drop(&e, "Docker's events");
        pthread_mutex_lock(&f->mutex);
        rest(f, AGAIN_MS, NULL);
    }
    pthread_mutex_unlock(&f->mutex);
    engine_close(g);
    return NULL;
}

/* ---- volumes ---- */

static void *run_volumes(void *arg)
{
    struct top_feed *f = arg;
    struct env *env = NULL;
    struct err e;

    pthread_mutex_lock(&f->mutex);
    while (!f->end) {
        struct node *rows = NULL;
        int r;

        if (!f->want_volumes) {
            pool_cond_wait(&f->cond, &f->mutex, STATUS_MS);
            continue;
        }
        pthread_mutex_unlock(&f->mutex);
        r = env ? 0 : open_env(&env, f, &f->cancel, ENV_VOLUMES_NEEDS, &e);
        if (r == 0)
            r = env_volume_list(&rows, env, &e);
        if (r < 0)
            env_close(steal(env));
        pthread_mutex_lock(&f->mutex);
        node_free(f->news.volumes);
        f->news.volumes = rows;
        free(f->news.volumes_error);
        f->news.volumes_error = r < 0 ? mem_strdup(e.msg) : NULL;
        ring(f);
        rest(f, VOLUMES_MS, NULL);
    }
    pthread_mutex_unlock(&f->mutex);
    env_close(env);
    return NULL;
}

void top_feed_want_volumes(struct top_feed *f, bool wanted)
{
    pthread_mutex_lock(&f->mutex);
    f->want_volumes = wanted;
    pthread_cond_broadcast(&f->cond);
    pthread_mutex_unlock(&f->mutex);
}

/* ---- restart ---- */

/* Cancelled as the whole program is, by a signal alone: an instance is not left half-way because
 * somebody stops to look at it. */
static int restart(struct top_feed *f, const char *instance, struct err *e)
{
    const struct start_stop_opts o = {.verb = START_STOP_RESTART};
    const struct start_stop_events ev = {0};
    auto_strv struct strv names = strv_of(instance);
    struct env *env = NULL;
    struct err dropped;
    int r = open_env(&env, f, f->env->o.cancel, ENV_NEEDS_CONTAINERS, e);

    if (r == 0 && env_need(env, ENV_NEEDS_CATALOG, &dropped) < 0)
        err_drop(&dropped, "the order of components");
    if (r == 0)
        r = held_start_stop(env, &names, &o, &ev, e);
    env_close(env);
    return r;
}

static void *run_restart(void *arg)
{
    struct top_feed *f = arg;
    int64_t began = clock_now_ms();
    struct err e;
    int r = restart(f, f->restarting, &e); /* nobody else changes it until it is NULL again */

    pthread_mutex_lock(&f->mutex);
    free(f->news.done);
    f->news.done = r < 0 ? mem_printf("%s: %s", f->restarting, e.msg)
                         : mem_printf("%s is restarted and ready (%.1f s)", f->restarting,
                                      (double)(clock_now_ms() - began) / 1000.0);
    free(f->restarting);
    f->restarting = NULL;
    f->hurry = true;
    pthread_cond_broadcast(&f->cond);
    pthread_mutex_unlock(&f->mutex);
    ring(f);
    return NULL;
}

bool top_feed_restart(struct top_feed *f, const char *instance)
{
    bool free_now;

    pthread_mutex_lock(&f->mutex);
    free_now = !f->restarting;
    if (free_now)
        f->restarting = mem_strdup(instance);
    pthread_mutex_unlock(&f->mutex);
    if (!free_now)
        return false;
    if (f->restart_runs)
        pthread_join(f->restart, NULL);
    f->restart_runs = thread_start(&f->restart, NULL, run_restart, f) == 0;
    if (!f->restart_runs) {
        free(f->restarting);
        f->restarting = NULL;
    }
    return f->restart_runs;
}

/* ---- all of them ---- */

static void *(*const runs[WORKERS])(void *) = {
    [STATUS] = run_status, [USAGE] = run_usage, [EVENTS] = run_events, [VOLUMES] = run_volumes};

int top_feed_start(struct top_feed **out, const struct env *env, struct err *e)
{
    struct top_feed *f = mem_alloc(sizeof(*f));

    f->env = env;
    f->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    cancel_init(&f->cancel);
    pthread_mutex_init(&f->mutex, NULL);
    pool_cond_init(&f->cond);
    *out = f;
    if (f->fd < 0)
        return err_sys(e, "looking at %s", env->name);
    for (; f->started < WORKERS; f->started++)
        if (thread_start(&f->ids[f->started], NULL, runs[f->started], f) != 0)
            return err_set(e, ERR_SYS, "looking at %s: there is no thread left", env->name);
    return 0;
}

void top_feed_stop(struct top_feed *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->mutex);
    f->end = true;
    pthread_cond_broadcast(&f->cond);
    pthread_mutex_unlock(&f->mutex);
    cancel_raise(&f->cancel);
    cancel_raise(&f->cancel);
    for (size_t i = 0; i < f->started; i++)
        pthread_join(f->ids[i], NULL);
    if (f->restart_runs)
        pthread_join(f->restart, NULL);
    top_news_clear(&f->news);
    pthread_cond_destroy(&f->cond);
    pthread_mutex_destroy(&f->mutex);
    cancel_clear(&f->cancel);
    if (f->fd >= 0)
        close(f->fd);
    free(f->uuid);
    free(f);
}

int top_feed_fd(const struct top_feed *f)
{
    return f->fd;
}

void top_feed_hurry(struct top_feed *f)
{
    pthread_mutex_lock(&f->mutex);
    f->hurry = true;
    pthread_cond_broadcast(&f->cond);
    pthread_mutex_unlock(&f->mutex);
}

char *top_feed_restarting(struct top_feed *f)
{
    char *name;

    pthread_mutex_lock(&f->mutex);
    name = mem_strdup(f->restarting);
    pthread_mutex_unlock(&f->mutex);
    return name;
}

static struct node *copy(const struct node *n)
{
    return n ? node_copy(n) : NULL;
}

void top_feed_take(struct top_news *out, struct top_feed *f)
{
    uint64_t ignored;

    top_news_clear(out);
    while (read(f->fd, &ignored, sizeof(ignored)) > 0)
        ;
    pthread_mutex_lock(&f->mutex);
    out->status = copy(f->news.status);
    out->usage = copy(f->news.usage);
    out->volumes = copy(f->news.volumes);
    strv_add_all(&out->events, &f->news.events);
    out->error = mem_strdup(f->news.error);
    out->volumes_error = mem_strdup(f->news.volumes_error);
    out->done = steal(f->news.done);
    out->read_ms = f->news.read_ms;
    pthread_mutex_unlock(&f->mutex);
}

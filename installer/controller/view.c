/* SPDX-License-Identifier: MIT */
#include "controller/view.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/thread.h"
#include "conf/json.h"
#include "controller/controller.h"
#include "controller/listing.h"
#include "controller/form.h"
#include "env/status.h"

enum {
    EVERY_MS = 30000,
    GAP_MS = 300, /* between two looks: a burst of events is one change */
    AGAIN_MS = 2000,
    LOOK_MS = 20000,
};

void view_init(struct view *v, struct controller *c)
{
    *v = (struct view){.c = c};
    pthread_mutex_init(&v->mutex, NULL);
    pool_cond_init(&v->cond);
}

void view_clear(struct view *v)
{
    node_free(v->rows);
    node_free(v->environment);
    shared_text_release(v->list);
    pthread_cond_destroy(&v->cond);
    pthread_mutex_destroy(&v->mutex);
}

void view_poke(struct view *v)
{
    pthread_mutex_lock(&v->mutex);
    v->wanted = true;
    pthread_cond_signal(&v->cond);
    pthread_mutex_unlock(&v->mutex);
}

/* ---- telling ---- */

/* The row of an instance, or NULL. Two looks have them in the same order: the next one that is
 * looked for is mostly where *at, behind the one before it, says. */
static const struct node *row_of(size_t *at, const struct node *rows, const char *instance)
{
    size_t count = rows ? rows->count : 0;

    for (size_t i = 0; i < count; i++) {
        const struct node *row = rows->items[(*at + i) % count];

        if (node_text_is(row, "instance", instance)) {
            *at = (*at + i + 1) % count;
            return row;
        }
    }
    return NULL;
}

static void follow(struct view *v, const struct node *rows, const struct node *environment,
                   int64_t began)
{
    if (v->follower.look)
        v->follower.look(v->follower.arg, rows, environment, began);
}

/* Tells what differs between two looks; whether anything does. */
static bool tell_rows(struct events *events, const struct node *before, const struct node *now)
{
    const struct node *row;
    size_t at = 0;
    bool differs = false;

    node_for_each (row, now) {
        const struct node *old = row_of(&at, before, node_get_text(row, "instance"));

        if (old && node_equal(old, row))
            continue;
        differs = true;
        if (before)
            events_publish(events, "instance", ACCESS_ROLE_VIEWER, row);
    }
    at = 0;
    node_for_each (row, before) {
        auto_node struct node *gone = NULL;

        if (row_of(&at, now, node_get_text(row, "instance")))
            continue;
        differs = true;
        gone = node_new_map();
        node_set_text(gone, "instance", node_get_text(row, "instance"));
        events_publish(events, "instanceGone", ACCESS_ROLE_VIEWER, gone);
    }
    return differs;
}

/* That nothing is done meanwhile is nothing that anybody would see otherwise. */
static void say_etcd(const struct node *before, const struct node *now)
{
    bool answered = !before || node_get_bool(node_get(before, "etcd"), "answers", false);
    bool answers = node_get_bool(node_get(now, "etcd"), "answers", false);

    if (answered && !answers)
        log_warn("etcd does not answer; nothing is mended until it does");
    if (!answered && answers)
        log_info("etcd answers again");
}

/* ---- one look ---- */

/* The part of the status that is not about single instances, in our own words. */
static struct node *environment_of(struct node *status, const struct node *rows)
{
    static const char *const taken[] = {"environment", "uuid", "healthy", "etcd",
                                        "strays",      "note", "keeper"};
    struct node *n = node_new_map(), *counts;
    const struct node *row;
    int64_t ok = 0;

    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        if (node_get(status, taken[i]))
            node_set(n, taken[i], node_copy(node_get(status, taken[i])));
    /* It grows with everything that is written, so that no two looks would be the same. */
    if (node_get(n, "etcd")) {
        node_remove(node_get(n, "etcd"), "revision");
        node_remove(node_get(n, "etcd"), "dbSize");
        node_remove(node_get(n, "etcd"), "dbInUse");
    }
    node_set_text(n, "version", SLIPWAY_VERSION);
    node_for_each (row, rows) {
        ok += node_get_bool(row, "ok", false);
    }
    counts = node_set(n, "counts", node_new_map());
    node_set_int(counts, "instances", (int64_t)rows->count);
    node_set_int(counts, "ok", ok);
    return n;
}

/* The list as it is asked for most, made once for everybody. With the mutex. */
static void make_list(struct view *v)
{
    const struct query all = {0};
    auto_node struct node *list = NULL;
    char now[32];
    struct err e;

    if (listing_make(&list, v->rows, &all, "", &e) < 0)
        return;
    node_set_int(list, "revision", v->revision);
    clock_format(now, v->seen);
    node_set_text(list, "seen", now);
    shared_text_release(v->list);
    v->list = shared_text_new(json_text(list));
}

static void take(struct view *v, struct node *status, int64_t began)
{
    struct events *events = &v->c->events;
    struct node *rows = node_get(status, "instances"), *environment;
    auto_node struct node *old_rows = NULL, *old_environment = NULL, *told = NULL;
    bool differs;

    form_camel(status);
    if (v->follower.decorate)
        v->follower.decorate(v->follower.arg, rows);
    environment = environment_of(status, rows);
    follow(v, rows, environment, began);
    differs = tell_rows(events, v->rows, rows);
    say_etcd(v->environment, environment);
    if (v->stale)
        log_info("the environment can be looked at again");
    pthread_mutex_lock(&v->mutex);
    differs = !v->environment || !node_equal(v->environment, environment) || differs || v->stale;
    v->seen = clock_wall_ms();
    v->stale = 0;
    v->revision += differs;
    old_rows = v->rows;
    old_environment = v->environment;
    v->rows = node_copy(rows);
    v->environment = environment;
    if (differs || !v->list)
        make_list(v);
    pthread_mutex_unlock(&v->mutex);
    if (differs) {
        told = view_environment(v);
        events_publish(events, "environment", ACCESS_ROLE_VIEWER, told);
    }
}

static void miss(struct view *v, const struct err *why)
{
    auto_node struct node *told = NULL;
    bool first;

    pthread_mutex_lock(&v->mutex);
    first = !v->stale;
    if (first)
        v->stale = clock_wall_ms();
    if (v->environment && first) {
        char since[32];
        struct node *stale = node_set(v->environment, "stale", node_new_map());

        clock_format(since, v->stale);
        node_set_text(stale, "since", since);
        node_set_text(stale, "detail", why->msg);
    }
    pthread_mutex_unlock(&v->mutex);
    follow(v, NULL, NULL, clock_now_ms());
    if (!first)
        return;
    log_warn("the environment cannot be looked at: %s", why->msg);
    told = view_environment(v);
    if (told)
        events_publish(&v->c->events, "environment", ACCESS_ROLE_VIEWER, told);
}

/* Whether all could be asked. */
static bool look(struct view *v)
{
    struct env_opts o = v->c->env;
    auto_node struct node *status = NULL;
    int64_t began = clock_now_ms();
    struct env *env = NULL;
    struct err e;
    bool answers;
    int r;

    o.timeout_ms = LOOK_MS;
    o.cancel = &v->c->stop;
    r = env_open(&env, &o, ENV_NEEDS_NAME | ENV_NEEDS_ENGINE, &e);
    if (r == 0)
        r = status_read(&status, env, &e);
    env_close(env);
    answers = node_get_bool(node_get(status, "etcd"), "answers", false);
    if (r == 0)
        take(v, status, began);
    else if (!cancel_count(&v->c->stop))
        miss(v, &e);
    return r == 0 && answers;
}

static void *run(void *arg)
{
    struct view *v = arg;

    while (!cancel_count(&v->c->stop)) {
        bool good;
        int64_t end;

        pthread_mutex_lock(&v->mutex);
        v->wanted = false;
        pthread_mutex_unlock(&v->mutex);
        good = look(v);
        end = clock_deadline(good ? EVERY_MS : AGAIN_MS);
        until_sleep_ms((struct until){.cancel = &v->c->stop}, GAP_MS);
        malloc_trim(0); /* a look needs some times what is kept of it */
        pthread_mutex_lock(&v->mutex);
        while (!v->wanted && !clock_passed(end) && !cancel_count(&v->c->stop))
            pool_cond_wait(&v->cond, &v->mutex, clock_left_ms(end));
        pthread_mutex_unlock(&v->mutex);
    }
    return NULL;
}

int view_start(struct view *v, struct err *e)
{
    if (thread_start(&v->looker, NULL, run, v) != 0)
        return err_set(e, ERR_SYS, "a thread could not be started");
    v->started = true;
    return 0;
}

void view_stop(struct view *v)
{
    if (!v->started)
        return;
    view_poke(v);
    pthread_join(v->looker, NULL);
    v->started = false;
}

/* ---- what was seen ---- */

struct shared_text *view_list(struct view *v)
{
    struct shared_text *list;

    pthread_mutex_lock(&v->mutex);
    list = v->list ? shared_text_use(v->list) : NULL;
    pthread_mutex_unlock(&v->mutex);
    return list;
}

struct node *view_rows(struct view *v)
{
    struct node *rows;

    pthread_mutex_lock(&v->mutex);
    rows = v->rows ? node_copy(v->rows) : NULL;
    pthread_mutex_unlock(&v->mutex);
    return rows;
}

struct node *view_environment(struct view *v)
{
    struct node *n = NULL;
    char seen[32];

    pthread_mutex_lock(&v->mutex);
    if (v->environment) {
        n = node_copy(v->environment);
        clock_format(seen, v->seen);
        node_set_int(n, "revision", v->revision);
        node_set_text(n, "seen", seen);
    }
    pthread_mutex_unlock(&v->mutex);
    return n;
}

struct node *view_hello(struct view *v)
{
    struct node *n = node_new_map();
    char seen[32];

    pthread_mutex_lock(&v->mutex);
    node_set_int(n, "revision", v->revision);
    if (v->seen) {
        clock_format(seen, v->seen);
        node_set_text(n, "seen", seen);
    }
    pthread_mutex_unlock(&v->mutex);
    return n;
}

int64_t view_revision(struct view *v)
{
    int64_t revision;

    pthread_mutex_lock(&v->mutex);
    revision = v->revision;
    pthread_mutex_unlock(&v->mutex);
    return revision;
}

/* SPDX-License-Identifier: MIT */
#include "env/start_stop.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/teller.h"
#include "engine/images.h"
#include "env/instances.h"
#include "plan/object.h"
#include "plan/order.h"

enum { PARALLEL = 4, READY_MS = 60000, POLL_MS = 300, LINE_MAX_LEN = 4096 };

struct item {
    const char *name;
    size_t depth;
    struct err error; /* code ERR_NONE: done */
    bool acted;       /* Docker did what was asked, also when it came to nothing */
};

struct start_stop {
    struct env *env;
    const struct start_stop_opts *o;
    const struct start_stop_events *ev;
    struct item *items; /* in the order in which their turn comes */
    size_t count;
    struct teller *teller; /* calls of events */
};

/* Those whose turn it is at the same time. */
struct wave {
    struct start_stop *p;
    struct item *items;
    int64_t began;
    struct until until; /* for waiting */
};

/* ---- one instance ---- */

/* The container was made with the grace of its manifest; it is asked for because the API's default
 * is another one. */
static int grace_of(int *grace_s, const struct start_stop *p, struct engine *g, const char *id,
                    struct err *e)
{
    auto_node struct node *inspect = NULL;

    *grace_s = 0;
    if (p->o->force)
        return 0;
    if (p->o->grace_ms > 0) {
        *grace_s = (int)((p->o->grace_ms + 999) / 1000);
        return 0;
    }
    if (engine_container_inspect(&inspect, g, id, e) < 0)
        return -1;
    *grace_s = (int)node_get_int(node_get(inspect, "Config"), "StopTimeout", 10);
    return 0;
}

static int act(const struct start_stop *p, struct engine *g, const char *id, struct err *e)
{
    int grace_s;

    if (p->o->verb == START_STOP_START)
        return engine_container_start(g, id, e);
    if (grace_of(&grace_s, p, g, id, e) < 0)
        return -1;
    return p->o->verb == START_STOP_STOP ? engine_container_stop(g, id, grace_s, e)
                                         : engine_container_restart(g, id, grace_s, e);
}

/* The agent's own word, because it needs no etcd: that may be what is started. */
static int wait_ready(struct engine *g, const char *id, struct until until, struct err *e)
{
    static const char *const argv[] = {IMAGES_AGENT, "health", NULL};
    auto_buf struct buf said = {0};
    struct engine_exec exec = {.argv = argv, .out = &said, .deadline = until.deadline};
    int status = -1;

    buf_init(&said, LINE_MAX_LEN);
    for (;;) {
        struct err none;

        buf_reset(&said);
        if (engine_exec_run(&status, g, id, &exec, &none) == 0 && status == 0)
            return 0;
        if (until_is_cancelled(until))
            return err_set(e, ERR_INTERRUPTED, "it runs, whether it is ready was not waited for");
        if (until_passed(until))
            break;
        until_sleep_ms(until, POLL_MS);
    }
    return err_set(e, ERR_UNHEALTHY, "it was started and is not ready: %.*s; see `slipway logs`",
                   (int)strcspn(buf_str(&said), "\n"), buf_str(&said));
}

struct told {
    const struct start_stop_events *ev;
    const char *name;
    int64_t took_ms;
};

static void tell_done(void *what)
{
    struct told *t = what;

    t->ev->done(t->ev->arg, t->name, t->took_ms);
    free(t);
}

static void tell(const struct wave *w, const struct item *it)
{
    struct told *t;

    if (!w->p->ev->done)
        return;
    t = mem_alloc(sizeof(*t));
    *t = (struct told){w->p->ev, it->name, clock_now_ms() - w->began};
    teller_say(w->p->teller, tell_done, t, sizeof(*t));
}

static int with_container(const struct wave *w, struct item *it, bool wait, struct err *e)
{
    struct engine *g = NULL;
    const char *id;
    int r;

    if (instances_container(NULL, &id, w->p->env, it->name, e) < 0 ||
        engine_clone(&g, w->p->env->engine, e) < 0)
        return -1;
    r = wait ? wait_ready(g, id, w->until, e) : act(w->p, g, id, e);
    it->acted = it->acted || (!wait && r == 0);
    engine_close(g);
    return r;
}

static bool waits(const struct start_stop *p)
{
    return p->o->verb != START_STOP_STOP && !p->o->no_wait;
}

static void act_job(void *arg, size_t i)
{
    struct wave *w = arg;
    struct item *it = &w->items[i];

    if (until_is_cancelled(w->p->env->until))
        err_set(&it->error, ERR_INTERRUPTED, "%s was not touched", it->name);
    else if (with_container(w, it, false, &it->error) < 0)
        err_wrap(&it->error, "%s", it->name);
    else if (!waits(w->p))
        tell(w, it);
}

static void wait_job(void *arg, size_t i)
{
    struct wave *w = arg;
    struct item *it = &w->items[i];

    if (it->error.code != ERR_NONE)
        return;
    if (with_container(w, it, true, &it->error) < 0)
        err_wrap(&it->error, "%s", it->name);
    else
        tell(w, it);
}

/* ---- one after the other ---- */

static int by_depth(const void *a, const void *b)
{
    const struct item *p = a, *q = b;

    if (p->depth != q->depth)
        return p->depth < q->depth ? -1 : 1;
    return strverscmp(p->name, q->name);
}

static void put_in_order(struct start_stop *p, const struct strv *names)
{
    p->count = names->count;
    p->items = mem_array(p->count, sizeof(*p->items));
    for (size_t i = 0; i < p->count; i++) {
        const struct node *c = object_find_instance(p->env->containers, names->items[i]);
        const char *component = object_label(c, LABEL_COMPONENT);
        size_t depth = order_depth(p->env->catalog, component ? component : "",
                                   p->o->verb == START_STOP_START);

        p->items[i] =
            (struct item){.name = names->items[i],
                          .depth = p->o->verb == START_STOP_STOP ? SIZE_MAX - depth : depth};
    }
    if (p->count > 1)
        qsort(p->items, p->count, sizeof(*p->items), by_depth);
}

/* With what replaces another one by one, each is a wave of its own. */
static size_t wave_end(const struct start_stop *p, size_t first)
{
    size_t end = first + 1;

    while (p->o->verb != START_STOP_RESTART && end < p->count &&
           p->items[end].depth == p->items[first].depth)
        end++;
    return end;
}

static bool has_failed(const struct start_stop *p, size_t end)
{
    for (size_t i = 0; i < end; i++)
        if (p->items[i].error.code != ERR_NONE)
            return true;
    return false;
}

static void run_waves(struct start_stop *p)
{
    for (size_t first = 0, end; first < p->count; first = end) {
        struct wave w = {.p = p, .items = p->items + first, .began = clock_now_ms()};

        end = wave_end(p, first);
        /* With one that does not get ready, or that still needs the next, that is one too many. */
        if (p->o->verb != START_STOP_START && has_failed(p, first)) {
            for (size_t i = first; i < end; i++)
                err_set(&p->items[i].error, ERR_INTERRUPTED, "%s was not touched",
                        p->items[i].name);
            continue;
        }
        pool_run(end - first, PARALLEL, act_job, &w);
        w.until = p->env->o.timeout_ms ? p->env->until : until_within(p->env->until, READY_MS);
        if (waits(p))
            pool_run(end - first, (unsigned)(end - first), wait_job, &w);
    }
}

static int result(const struct start_stop *p, struct err *e)
{
    size_t failed = 0;

    for (size_t i = 0; i < p->count; i++)
        if (p->items[i].error.code != ERR_NONE && failed++ == 0)
            *e = p->items[i].error;
    if (failed == 0)
        return 0;
    err_partial(e, failed < p->count);
    return failed > 1 ? err_wrap(e, "%zu of %zu instances failed, first", failed, p->count) : -1;
}

int start_stop_run(struct env *env, const struct strv *names, const struct start_stop_opts *o,
                   const struct start_stop_events *ev, struct err *e)
{
    struct start_stop p = {.env = env, .o = o, .ev = ev};
    int r;

    if (o->verb != START_STOP_START && env->o.self && strv_has(names, env->o.self))
        return err_set(e, ERR_CONFLICT,
                       o->verb == START_STOP_STOP
                           ? "%s carries this out itself; `slipway -e %s stop %s` does it"
                           : "%s carries this out itself; `slipway -e %s restart %s` does it",
                       env->o.self, env->name, env->o.self);
    if (teller_open(&p.teller, e) < 0)
        return -1;
    put_in_order(&p, names);
    run_waves(&p);
    teller_close(p.teller);
    r = result(&p, e);
    for (size_t i = 0; i < p.count; i++)
        env->changed = env->changed || p.items[i].acted;
    free(p.items);
    return r;
}

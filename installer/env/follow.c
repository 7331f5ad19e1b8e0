/* SPDX-License-Identifier: MIT */
#include "env/follow.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/teller.h"
#include "plan/object.h"

/* "2026-01-31T12:00:00.123456789Z", which the engine puts before every line. */
enum { STAMP_LEN = 30, LOOK_MS = 300, LOOKS_MAX = 10 };

struct run {
    const struct env *env;
    const struct strv *names;
    const struct follow_opts *o;
    struct teller *teller; /* calls of line and news */
    pthread_mutex_t mutex; /* first */
    struct err first;      /* code ERR_NONE: none */
    atomic_bool enough;    /* nobody wants more lines */
};

struct told_line {
    struct run *r;
    struct logs_line line;
    char text[];
};

struct told_news {
    struct run *r;
    size_t number;
    enum follow_news what;
    int status;
};

struct log_stream {
    struct run *r;
    size_t number;
    char last[STAMP_LEN + 1];  /* time of the newest line that was told */
    char since[STAMP_LEN + 1]; /* what it was when this stream began */
    char *id;                  /* the container that was followed */
    char *started;             /* and when it was started */
};

static bool on_stop(void *arg)
{
    const struct log_stream *s = arg;

    return until_is_cancelled(s->r->env->until) || atomic_load(&s->r->enough);
}

static void tell_line(void *what)
{
    struct told_line *t = what;
    struct run *r = t->r;

    if (!atomic_load(&r->enough) && !r->o->line(r->o->arg, &t->line))
        atomic_store(&r->enough, true);
    free(t);
}

static void on_line(void *arg, int stream, const char *text, size_t len)
{
    struct log_stream *s = arg;
    struct told_line *t;

    /* After a restart the engine begins with the last line again. Within a stream lines may be out
     * of order: Docker reads standard output and error side by side. */
    if (len >= STAMP_LEN && strncmp(text, s->since, STAMP_LEN) <= 0)
        return;
    if (len >= STAMP_LEN && strncmp(text, s->last, STAMP_LEN) > 0)
        memcpy(s->last, text, STAMP_LEN);
    t = mem_alloc(sizeof(*t) + len + 1);
    t->r = s->r;
    t->line = (struct logs_line){s->number, stream, t->text, len};
    memcpy(t->text, text, len);
    teller_say(s->r->teller, tell_line, t, sizeof(*t) + len);
}

static void tell_news(void *what)
{
    struct told_news *t = what;

    t->r->o->news(t->r->o->arg, t->number, t->what, t->status);
    free(t);
}

static void tell(struct log_stream *s, enum follow_news what, int status)
{
    struct told_news *t;

    if (!s->r->o->news)
        return;
    t = mem_alloc(sizeof(*t));
    *t = (struct told_news){s->r, s->number, what, status};
    teller_say(s->r->teller, tell_news, t, sizeof(*t));
}

/* A container that `up` has set aside: its successor comes. */
static bool is_replaced(const struct node *containers, const char *instance)
{
    const struct node *c;

    node_for_each (c, containers) {
        const char *name = object_label(c, LABEL_INSTANCE);

        if (name && strcmp(name, instance) == 0)
            return true;
    }
    return false;
}

/* The instance's container as it is now, or NULL; *gone when none is to be expected. */
static int look(struct node **out, bool *gone, const struct log_stream *s, struct engine *g,
                struct err *e)
{
    const char *name = s->r->names->items[s->number];
    auto_node struct node *list = NULL;
    const struct node *c;

    *out = NULL;
    *gone = false;
    if (object_containers(&list, g, s->r->env->key.uuid, e) < 0)
        return -1;
    c = object_find_instance(list, name);
    *gone = !c && !is_replaced(list, name);
    if (!c || engine_container_inspect(out, g, node_get_text(c, "Id"), e) == 0)
        return 0;
    if (e->code != ERR_NOTFOUND)
        return -1;
    err_drop(e, "a container that has just gone");
    return 0;
}

static bool is_new_start(const struct log_stream *s, const struct node *seen)
{
    const struct node *state = node_get(seen, "State");

    return node_get_bool(state, "Running", false) &&
           (!s->id || strcmp(s->id, node_get_text(seen, "Id")) != 0 ||
            strcmp(s->started, node_get_text(state, "StartedAt")) != 0);
}

static void remember(struct log_stream *s, const struct node *seen)
{
    free(s->id);
    free(s->started);
    s->id = mem_strdup(node_get_text(seen, "Id"));
    s->started = mem_strdup(node_get_text(node_get(seen, "State"), "StartedAt"));
}

static int follow(struct log_stream *s, struct engine *g, struct err *e)
{
    struct engine_log_opts o = {.follow = true,
                                .timestamps = true,
                                .tail = s->last[0] ? -1 : s->r->o->tail,
                                .since = s->last[0] ? s->since : s->r->o->since,
                                .line = on_line,
                                .stop = on_stop,
                                .arg = s};

    memcpy(s->since, s->last, sizeof(s->since));
    if (engine_container_logs(g, s->id, &o, e) == 0)
        return 0;
    if (e->code != ERR_NOTFOUND)
        return -1;
    err_drop(e, "a container that has just gone");
    return 0;
}

/* Whether it ended, which is told; without that Docker has not told yet, or the stream broke. */
static bool tell_end(struct log_stream *s, const struct node *seen)
{
    const struct node *state = node_get(seen, "State");

    if (!seen || is_new_start(s, seen))
        tell(s, FOLLOW_ENDED, -1);
    else if (node_get_bool(state, "Running", false))
        return false;
    else
        tell(s, FOLLOW_ENDED, (int)node_get_int(state, "ExitCode", -1));
    return true;
}

/* Until somebody interrupts, or the instance has no container any more. */
static int follow_all(struct log_stream *s, struct engine *g, struct err *e)
{
    bool ended = false, gone = false;
    int looks = 0;

    while (!on_stop(s)) {
        auto_node struct node *seen = NULL;

        if (look(&seen, &gone, s, g, e) < 0)
            return -1;
        if (s->id && !ended)
            ended = tell_end(s, seen);
        if (gone) {
            tell(s, FOLLOW_REMOVED, -1);
            return 0;
        }
        if (is_new_start(s, seen)) {
            if (ended)
                tell(s, FOLLOW_RUNS_AGAIN, -1);
            remember(s, seen);
        } else if (ended || !s->id || ++looks < LOOKS_MAX) {
            until_sleep_ms(s->r->env->until, LOOK_MS);
            continue;
        }
        ended = false;
        looks = 0;
        node_free(steal(seen));
        if (follow(s, g, e) < 0)
            return -1;
    }
    return 0;
}

static void job(void *arg, size_t i)
{
    struct run *run = arg;
    struct log_stream s = {.r = run, .number = i};
    struct engine *g = NULL;
    struct err e;
    int r = engine_clone(&g, run->env->engine, &e);

    if (r == 0)
        r = follow_all(&s, g, &e);
    engine_close(g);
    free(s.id);
    free(s.started);
    if (r == 0)
        return;
    err_wrap(&e, "%s", run->names->items[i]);
    pthread_mutex_lock(&run->mutex);
    if (run->first.code == ERR_NONE)
        run->first = e;
    pthread_mutex_unlock(&run->mutex);
}

int follow_run(struct env *env, const struct strv *names, const struct follow_opts *o,
               struct err *e)
{
    struct run r = {.env = env, .names = names, .o = o, .mutex = PTHREAD_MUTEX_INITIALIZER};

    if (env_need(env, ENV_NEEDS_CONTAINERS, e) < 0 || teller_open(&r.teller, e) < 0)
        return -1;
    /* It may last for days, and each of them looks for itself. */
    node_free(steal(env->containers));
    pool_run(names->count, (unsigned)names->count, job, &r);
    teller_close(r.teller);
    if (r.first.code == ERR_NONE)
        return 0;
    *e = r.first;
    return -1;
}

/* SPDX-License-Identifier: MIT */
#include "env/logs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/pool.h"
#include "base/teller.h"
#include "env/instances.h"

enum {
    PARALLEL = 4,
    KEPT_MAX = 500000,      /* lines that are held to be sorted, */
    KEPT_BYTES = 256 << 20, /* and bytes of them, when nothing else is said */
    SECONDS_MIN_DIGITS = 9, /* a shorter number is a duration, not a time of day */
};

struct kept {
    char *text;                 /* owned */
    size_t len, source, number; /* number: in the order of arrival */
    int stream;
};

struct logs {
    const struct env *env;
    const struct strv *names;
    const struct logs_opts *o;
    struct teller *teller; /* calls of line; NULL: they come when all are kept */
    pthread_mutex_t mutex; /* kept, first */
    struct kept *kept;
    size_t count, bytes, held_max, dropped;
    struct err first;   /* code ERR_NONE: none */
    atomic_bool enough; /* nobody wants more lines */
};

struct told_line {
    struct logs *l;
    struct logs_line line;
    char text[];
};

struct log_stream {
    struct logs *l;
    size_t number;
};

static void keep(struct logs *l, const struct logs_line *line)
{
    struct kept k = {
        .len = line->len, .source = line->source, .stream = line->stream, .number = l->count};

    if (l->count == KEPT_MAX || l->bytes + line->len > l->held_max) {
        l->dropped++;
        return;
    }
    k.text = mem_alloc(line->len + 1);
    memcpy(k.text, line->text, line->len);
    l->kept = mem_grow(l->kept, l->count + 1, sizeof(*l->kept));
    l->kept[l->count++] = k;
    l->bytes += line->len;
}

static void give(struct logs *l, const struct logs_line *line)
{
    if (!atomic_load(&l->enough) && !l->o->line(l->o->arg, line))
        atomic_store(&l->enough, true);
}

static void tell_line(void *what)
{
    struct told_line *t = what;

    give(t->l, &t->line);
    free(t);
}

static void say(struct logs *l, const struct logs_line *line)
{
    struct told_line *t = mem_alloc(sizeof(*t) + line->len + 1);

    t->l = l;
    t->line = *line;
    t->line.text = t->text;
    memcpy(t->text, line->text, line->len);
    teller_say(l->teller, tell_line, t, sizeof(*t) + line->len);
}

static void on_line(void *arg, int stream, const char *text, size_t len)
{
    const struct log_stream *s = arg;
    const struct logs_line line = {.source = s->number, .stream = stream, .text = text, .len = len};

    if (s->l->teller) {
        say(s->l, &line);
        return;
    }
    pthread_mutex_lock(&s->l->mutex);
    keep(s->l, &line);
    pthread_mutex_unlock(&s->l->mutex);
}

static bool on_stop(void *arg)
{
    const struct log_stream *s = arg;

    return atomic_load(&s->l->enough);
}

static int read_one(struct logs *l, size_t number, struct err *e)
{
    struct log_stream s = {l, number};
    struct engine *g = NULL;
    struct engine_log_opts o = {.follow = l->o->follow,
                                .timestamps = true,
                                .tail = l->o->tail,
                                .since = l->o->since,
                                .until = l->o->until,
                                .line = on_line,
                                .stop = on_stop,
                                .arg = &s};
    const char *id;
    int r;

    if (instances_container(NULL, &id, l->env, l->names->items[number], e) < 0 ||
        engine_clone(&g, l->env->engine, e) < 0)
        return -1;
    r = engine_container_logs(g, id, &o, e);
    engine_close(g);
    return r;
}

static void job(void *arg, size_t i)
{
    struct logs *l = arg;
    struct err e;

    if (read_one(l, i, &e) == 0)
        return;
    err_wrap(&e, "logs of %s", l->names->items[i]);
    pthread_mutex_lock(&l->mutex);
    if (l->first.code == ERR_NONE)
        l->first = e;
    pthread_mutex_unlock(&l->mutex);
}

static int by_time(const void *a, const void *b)
{
    const struct kept *p = a, *q = b;
    int r = strncmp(p->text, q->text, strlen("2026-01-31T12:00:00.123456789Z"));

    if (r)
        return r;
    if (p->source != q->source)
        return p->source < q->source ? -1 : 1;
    return p->number < q->number ? -1 : 1;
}

static void give_kept(struct logs *l)
{
    if (l->count > 1)
        qsort(l->kept, l->count, sizeof(*l->kept), by_time);
    for (size_t i = 0; i < l->count; i++) {
        const struct kept *k = &l->kept[i];
        const struct logs_line line = {
            .source = k->source, .stream = k->stream, .text = k->text, .len = k->len};

        give(l, &line);
        free(k->text);
    }
    free(l->kept);
}

int logs_read(size_t *dropped, struct env *env, const struct strv *names, const struct logs_opts *o,
              struct err *e)
{
    struct logs l = {.env = env,
                     .names = names,
                     .o = o,
                     .held_max = o->held_max ? o->held_max : KEPT_BYTES,
                     .mutex = PTHREAD_MUTEX_INITIALIZER};

    *dropped = 0;
    if (env_need(env, ENV_NEEDS_CONTAINERS, e) < 0 ||
        ((names->count <= 1 || o->follow) && teller_open(&l.teller, e) < 0))
        return -1;
    /* Following needs a thread each: a stream does not end. */
    pool_run(names->count, o->follow ? (unsigned)names->count : PARALLEL, job, &l);
    teller_close(l.teller);
    give_kept(&l);
    *dropped = l.dropped;
    if (l.first.code == ERR_NONE)
        return 0;
    *e = l.first;
    return -1;
}

/* What the engine wants: seconds since the epoch. Durations count back from now. */
int logs_time(char **out, const char *what, const char *text, struct err *e)
{
    struct tm tm = {0};
    int64_t ms;
    const char *rest;

    *out = NULL;
    if (strspn(text, "0123456789.") == strlen(text) && strlen(text) >= SECONDS_MIN_DIGITS) {
        *out = mem_strdup(text);
        return 0;
    }
    if (opt_duration(&ms, text)) {
        int64_t then = clock_wall_ms() - ms;

        *out = mem_printf("%lld.%03lld", (long long)(then / 1000), (long long)(then % 1000));
        return 0;
    }
    rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest)
        rest = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
    if (!rest)
        rest = strptime(text, "%Y-%m-%d", &tm);
    if (rest && *rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    if (!rest || (*rest && strcmp(rest, "Z") != 0))
        return err_set(e, ERR_USAGE,
                       "%s %s is not a time; like 10min, 2026-01-31T12:00:00Z (UTC) or Unix time",
                       what, text);
    *out = mem_printf("%lld", (long long)timegm(&tm));
    return 0;
}

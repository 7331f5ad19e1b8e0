/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/sig.h"
#include "cmd/cmd.h"
#include "cmd/instances.h"
#include "cmd/log_lines.h"

enum {
    KEPT_MAX = 500000,      /* lines that are held to be sorted */
    SECONDS_MIN_DIGITS = 9, /* a shorter number is no time of day but a duration */
};

struct logs_options {
    bool follow, timestamps;
    const char *tail, *since, *until;
};

static const struct opt_spec options[] = {
    {"follow", 'f', OPT_FLAG, NULL, "go on until Ctrl-C", offsetof(struct logs_options, follow)},
    {"tail", 'n', OPT_STRING, "N", "only the last N lines of each instance, or all",
     offsetof(struct logs_options, tail)},
    {"since", 0, OPT_STRING, "TIME", "from then on: 10min, 2026-01-31T12:00:00Z, or Unix time",
     offsetof(struct logs_options, since)},
    {"until", 0, OPT_STRING, "TIME", "up to then", offsetof(struct logs_options, until)},
    {"timestamps", 't', OPT_FLAG, NULL, "print the time of each line",
     offsetof(struct logs_options, timestamps)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway logs -f", "every instance, as it happens"},
    {"slipway logs ceph-osd --since 10min", "all OSDs, in the order of time"},
    {0},
};

struct kept {
    char *text;                 /* "2026-...Z line", may hold NUL */
    size_t len, source, number; /* number: in the order of arrival */
    int stream;
};

struct logs {
    struct cmd_context *x;
    const struct logs_options *o;
    struct log_lines out;
    char *since, *until;
    int tail;
    bool keep;
    pthread_mutex_t mutex; /* stdout, kept, first */
    struct kept *kept;
    size_t count;
    bool failed;
    struct err first;
};

struct source {
    struct logs *l;
    size_t number;
};

static void print_kept(const struct logs *l, const struct kept *k)
{
    log_lines_print(&l->out, k->source, k->stream, k->text, k->len);
}

static void on_line(void *arg, int stream, const char *text, size_t len)
{
    const struct source *s = arg;
    struct logs *l = s->l;
    struct kept k = {.text = mem_alloc(len + 1), .len = len, .source = s->number, .stream = stream};

    memcpy(k.text, text, len);
    pthread_mutex_lock(&l->mutex);
    if (l->keep && l->count < KEPT_MAX) {
        l->kept = mem_grow(l->kept, l->count + 1, sizeof(*l->kept));
        k.number = l->count;
        l->kept[l->count++] = k;
    } else {
        if (!l->keep)
            print_kept(l, &k);
        free(k.text);
    }
    pthread_mutex_unlock(&l->mutex);
}

static bool stop(void *arg)
{
    (void)arg;
    return sig_interrupts() > 0 || ferror(stdout);
}

static int read_one(struct logs *l, size_t number, struct err *e)
{
    struct source s = {l, number};
    struct engine *g = NULL;
    struct engine_log_opts o = {.follow = l->o->follow,
                                .timestamps = true,
                                .tail = l->tail,
                                .since = l->since,
                                .until = l->until,
                                .line = on_line,
                                .stop = stop,
                                .arg = &s};
    const char *id;
    int r;

    if (instances_container(&id, l->x, l->out.names.items[number], e) < 0 ||
        engine_clone(&g, l->x->engine, e) < 0)
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
    err_wrap(&e, "logs of %s", l->out.names.items[i]);
    pthread_mutex_lock(&l->mutex);
    if (!l->failed)
        l->first = e;
    l->failed = true;
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

/* What the engine wants: seconds since the epoch. Durations count back from now. */
static int parse_time(char **out, const char *option, const char *text, struct err *e)
{
    struct tm tm = {0};
    int64_t ms;
    const char *rest;

    if (!text)
        return 0;
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
                       "%s %s is no time; like 10min, 2026-01-31T12:00:00Z (UTC) or Unix time",
                       option, text);
    *out = mem_printf("%lld", (long long)timegm(&tm));
    return 0;
}

static int prepare(struct logs *l, const struct strv *operands, struct err *e)
{
    if (log_lines_tail(&l->tail, l->o->tail, e) < 0 ||
        parse_time(&l->since, "--since", l->o->since, e) < 0 ||
        parse_time(&l->until, "--until", l->o->until, e) < 0 ||
        instances_select(&l->out.names, l->x, operands, 0, e) < 0)
        return -1;
    log_lines_open(&l->out, l->x);
    l->out.timestamps = l->o->timestamps;
    l->out.flush = l->o->follow;
    l->keep = l->out.names.count > 1 && !l->o->follow;
    return 0;
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    struct logs l = {.x = x, .o = opts, .mutex = PTHREAD_MUTEX_INITIALIZER};
    int r = prepare(&l, operands, e);

    if (r == 0) {
        /* Following needs a thread each: a stream does not end. */
        unsigned threads = l.o->follow ? (unsigned)l.out.names.count : 4;

        pool_run(l.out.names.count, threads, job, &l);
        if (l.count > 1)
            qsort(l.kept, l.count, sizeof(*l.kept), by_time);
        for (size_t i = 0; i < l.count; i++)
            print_kept(&l, &l.kept[i]);
        if (l.count == KEPT_MAX)
            log_warn("only %d lines are shown; ask for less with --since or --tail", KEPT_MAX);
        if (l.failed) {
            *e = l.first;
            r = -1;
        }
    }
    for (size_t i = 0; i < l.count; i++)
        free(l.kept[i].text);
    free(l.kept);
    log_lines_close(&l.out);
    free(l.since);
    free(l.until);
    return r;
}

const struct cmd cmd_logs = {
    .help = {.name = "logs",
             .summary = "what instances print, in the order of time",
             .args = "[INSTANCE|COMPONENT ...]",
             .options = options,
             .examples = examples,
             .group = "Instances"},
    .options_size = sizeof(struct logs_options),
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_CONTAINERS,
    .max_operands = -1,
    .run = run,
};

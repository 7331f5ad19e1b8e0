/* SPDX-License-Identifier: MIT */
#include "cmd/top_logs.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "cmd/out.h"
#include "env/follow.h"

enum { LINES_BEFORE = 500 };

struct top_logs {
    const struct env *env;
    char *instance;
    struct cancel cancel;
    int fd;
    bool runs;
    pthread_t id;
    pthread_mutex_t mutex;
    struct strv fresh; /* lines that nobody took yet */
};

/* Drops the first lines until no more than `most` are left. */
static size_t shorten(struct strv *lines, size_t most)
{
    size_t extra = lines->count > most ? lines->count - most : 0;

    for (size_t i = 0; i < extra; i++)
        free(lines->items[i]);
    if (extra)
        memmove(lines->items, lines->items + extra,
                (lines->count - extra + 1) * sizeof(*lines->items));
    lines->count -= extra;
    return extra;
}

static void ring(const struct top_logs *l)
{
    uint64_t one = 1;

    while (write(l->fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

static void add(struct top_logs *l, char *line)
{
    pthread_mutex_lock(&l->mutex);
    strv_take(&l->fresh, line);
    /* Shortened by halves, so that a flood moves each line once. */
    if (l->fresh.count >= 2 * (size_t)TOP_LOG_LINES_MAX)
        shorten(&l->fresh, TOP_LOG_LINES_MAX);
    pthread_mutex_unlock(&l->mutex);
    ring(l);
}

/* "2026-01-31T12:00:00.123456789Z text" loses its time. */
static bool on_line(void *arg, const struct logs_line *line)
{
    struct top_logs *l = arg;
    const char *space = memchr(line->text, ' ', line->len);
    const char *text = space ? space + 1 : line->text;
    size_t len = line->len - (size_t)(text - line->text);
    struct buf b;

    /* Made harmless here: a NUL must not end it. */
    buf_init(&b, TOP_LOG_LINE_MAX);
    out_safe(&b, text, len > TOP_LOG_LINE_MAX ? TOP_LOG_LINE_MAX : len);
    add(l, buf_take(&b));
    return cancel_count(&l->cancel) == 0;
}

static void on_news(void *arg, size_t source, enum follow_news what, int status)
{
    (void)source;
    if (what == FOLLOW_ENDED && status >= 0)
        add(arg, mem_printf("--- ended with status %d ---", status));
    else
        add(arg, mem_strdup(what == FOLLOW_ENDED        ? "--- ended ---"
                            : what == FOLLOW_RUNS_AGAIN ? "--- runs again ---"
                                                        : "--- its container is removed ---"));
}

static void *run(void *arg)
{
    struct top_logs *l = arg;
    auto_strv struct strv names = strv_of(l->instance);
    const struct follow_opts o = {.tail = LINES_BEFORE, .line = on_line, .news = on_news, .arg = l};
    struct env_opts opts = l->env->o;
    struct env *env = NULL;
    struct err e;
    int r;

    opts.name = l->env->name;
    opts.file = NULL;
    opts.timeout_ms = 0;
    opts.cancel = &l->cancel;
    r = env_open(&env, &opts, ENV_NEEDS_NAME | ENV_NEEDS_CONTAINERS, &e);
    if (r == 0)
        r = follow_run(env, &names, &o, &e);
    if (r < 0)
        add(l, mem_printf("--- %s ---", e.msg));
    env_close(env);
    return NULL;
}

int top_logs_start(struct top_logs **out, const struct env *env, const char *instance,
                   struct err *e)
{
    struct top_logs *l = mem_alloc(sizeof(*l));

    *out = l;
    l->env = env;
    l->instance = mem_strdup(instance);
    cancel_init(&l->cancel);
    pthread_mutex_init(&l->mutex, NULL);
    l->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->fd < 0)
        return err_sys(e, "following %s", instance);
    l->runs = thread_start(&l->id, NULL, run, l) == 0;
    return l->runs ? 0 : err_set(e, ERR_SYS, "following %s: there is no thread left", instance);
}

void top_logs_stop(struct top_logs *l)
{
    if (!l)
        return;
    cancel_raise(&l->cancel);
    cancel_raise(&l->cancel);
    if (l->runs)
        pthread_join(l->id, NULL);
    if (l->fd >= 0)
        close(l->fd);
    strv_clear(&l->fresh);
    pthread_mutex_destroy(&l->mutex);
    cancel_clear(&l->cancel);
    free(l->instance);
    free(l);
}

int top_logs_fd(const struct top_logs *l)
{
    return l->fd;
}

size_t top_logs_take(struct strv *lines, struct top_logs *l)
{
    auto_strv struct strv fresh = {0};
    uint64_t ignored;

    while (read(l->fd, &ignored, sizeof(ignored)) > 0)
        ;
    pthread_mutex_lock(&l->mutex);
    fresh = l->fresh;
    l->fresh = (struct strv){0};
    pthread_mutex_unlock(&l->mutex);
    for (size_t i = 0; i < fresh.count; i++)
        strv_take(lines, steal(fresh.items[i]));
    return shorten(lines, TOP_LOG_LINES_MAX);
}

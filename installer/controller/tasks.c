/* SPDX-License-Identifier: MIT */
#include "controller/tasks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/thread.h"
#include "conf/json.h"
#include "controller/controller.h"
#include "controller/tasks_own.h"

/* ---- what is told ---- */

static void set_time(struct node *n, const char *key)
{
    char now[32];

    clock_format(now, clock_wall_ms());
    node_set_text(n, key, now);
}

/* With the mutex: the state is told and written down. */
static void tell(struct task *t, bool write)
{
    struct tasks *ts = t->ts;

    events_publish(&ts->c->events, "task", ACCESS_ROLE_VIEWER, t->told);
    if (write)
        task_write(t);
}

/* ---- what the work says ---- */

void task_log(struct task *t, const char *fmt, ...)
{
    auto_node struct node *told = node_new_map();
    struct node *line = node_new_map();
    va_list ap;

    va_start(ap, fmt);
    auto_free char *text = mem_vprintf(fmt, ap);
    va_end(ap);
    log_redact_text(text);
    set_time(line, "time");
    node_set_text(line, "text", text);
    node_set(told, "line", node_copy(line));
    pthread_mutex_lock(&t->ts->mutex);
    node_set_text(told, "task", node_get_text(t->told, "id"));
    if (t->log->count < TASK_LOG_MAX)
        node_add(t->log, line);
    else
        node_free(line);
    events_publish(&t->ts->c->events, "taskLog", ACCESS_ROLE_VIEWER, told);
    pthread_mutex_unlock(&t->ts->mutex);
}

void task_steps(struct task *t, int64_t done, int64_t total)
{
    pthread_mutex_lock(&t->ts->mutex);
    node_set_int(t->told, "done", done);
    node_set_int(t->told, "total", total);
    tell(t, false);
    pthread_mutex_unlock(&t->ts->mutex);
}

void task_advance(struct task *t)
{
    pthread_mutex_lock(&t->ts->mutex);
    node_set_int(t->told, "done", node_get_int(t->told, "done", 0) + 1);
    tell(t, false);
    pthread_mutex_unlock(&t->ts->mutex);
}

void task_result(struct task *t, struct node *result)
{
    pthread_mutex_lock(&t->ts->mutex);
    node_free(t->result);
    t->result = result;
    pthread_mutex_unlock(&t->ts->mutex);
}

/* ---- life ---- */

static void task_free(struct task *t)
{
    node_free(t->told);
    node_free(t->log);
    node_free(t->result);
    node_free(t->arguments);
    cancel_clear(&t->cancel);
    free(t);
}

/* With the mutex: those that ended longest ago go when there are too many. */
static void forget(struct tasks *ts)
{
    struct task **at = &ts->newest;
    int kept = 0;

    while (*at) {
        struct task *t = *at;

        if (t->open || ++kept <= TASKS_KEPT) {
            at = &t->older;
            continue;
        }
        *at = t->older;
        task_free(t);
    }
}

static void set_error(struct node *told, const struct err *e)
{
    auto_free char *text = mem_strdup(e->msg);
    struct node *n = node_set(told, "error", node_new_map());

    log_redact_text(text);
    node_set_text(n, "code", err_code_name(e->code));
    node_set_text(n, "detail", text);
}

static void end(struct task *t, int r, const struct err *e)
{
    struct tasks *ts = t->ts;
    bool stopped = r < 0 && e->code == ERR_INTERRUPTED;

    view_poke(&ts->c->view); /* before tasks_stop knows of the end: all may be gone after that */
    pthread_mutex_lock(&ts->mutex);
    node_set_text(t->told, "state",
                  r == 0                        ? "succeeded"
                  : stopped && t->asked_to_stop ? "cancelled"
                  : stopped                     ? "interrupted"
                                                : "failed");
    if (r < 0)
        set_error(t->told, e);
    set_time(t->told, "ended");
    t->open = false;
    ts->open--;
    tell(t, true);
    forget(ts);
    pthread_cond_broadcast(&ts->cond);
    pthread_mutex_unlock(&ts->mutex);
}

/* Waits for its turn; false: it was cancelled meanwhile. */
static bool take_turn(struct task *t)
{
    struct tasks *ts = t->ts;
    bool go;

    pthread_mutex_lock(&ts->mutex);
    while (ts->running >= TASKS_AT_ONCE && !cancel_count(&t->cancel))
        pool_cond_wait(&ts->cond, &ts->mutex, 1000);
    go = !cancel_count(&t->cancel);
    if (go) {
        ts->running++;
        node_set_text(t->told, "state", "running");
        set_time(t->told, "started");
        tell(t, false);
    }
    pthread_mutex_unlock(&ts->mutex);
    return go;
}

static int work(struct task *t, struct err *e)
{
    struct env_opts o = t->ts->c->env;
    auto_free char *file = mem_strdup(node_get_text(t->arguments, "file"));
    struct env *env = NULL;
    int r;

    o.user = node_get_text(t->told, "by");
    o.cancel = &t->cancel;
    o.file = file;
    o.file_passes = file != NULL;
    log_field("component", t->kind->name);
    r = env_open(&env, &o, t->kind->needs, e);
    if (r == 0)
        r = t->kind->run(t, env, t->arguments, e);
    for (size_t i = 0; r < 0 && i < env->problems.count; i++)
        task_log(t, "%s", env->problems.items[i]);
    env_close(env);
    if (file)
        unlink(file);
    return r;
}

static void *run(void *arg)
{
    struct task *t = arg;
    struct err e;
    int r;

    if (take_turn(t)) {
        r = work(t, &e);
        pthread_mutex_lock(&t->ts->mutex);
        t->ts->running--;
        pthread_mutex_unlock(&t->ts->mutex);
    } else {
        r = err_set(&e, ERR_INTERRUPTED, "it was cancelled before it began");
    }
    end(t, r, &e);
    return NULL;
}

/* With the mutex. */
static struct task *task_new(struct tasks *ts, const struct task_begin *b)
{
    struct task *t = mem_alloc(sizeof(*t));

    *t = (struct task){.ts = ts, .kind = b->kind, .arguments = b->arguments, .open = true};
    cancel_init(&t->cancel);
    t->log = node_new_list();
    t->told = node_new_map();
    auto_free char *id =
        mem_printf("t-%lld-%lld", (long long)ts->c->events.epoch, (long long)++ts->number);

    node_set_text(t->told, "id", id);
    node_set_text(t->told, "kind", b->kind->name);
    node_set_text(t->told, "target", b->target ? b->target : "");
    node_set_text(t->told, "by", b->by);
    node_set_text(t->told, "state", "queued");
    set_time(t->told, "created");
    node_set_int(t->told, "done", 0);
    node_set_int(t->told, "total", 0);
    t->older = ts->newest;
    ts->newest = t;
    return t;
}

int tasks_begin(struct node **answer, struct tasks *ts, const struct task_begin *b, struct err *e)
{
    pthread_attr_t attr;
    struct task *t = NULL;
    pthread_t id;
    int r = 0;

    pthread_mutex_lock(&ts->mutex);
    if (ts->open >= TASKS_OPEN_MAX || cancel_count(&ts->c->stop)) {
        node_free(b->arguments);
        r = err_set(e, ERR_LOCKED, "%d tasks wait already; try again when some have ended",
                    ts->open);
    } else {
        t = task_new(ts, b);
        ts->open++;
        tell(t, true);
        *answer = node_copy(t->told);
    }
    pthread_mutex_unlock(&ts->mutex);
    if (!t)
        return r;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (thread_start(&id, &attr, run, t) != 0) {
        r = err_set(e, ERR_SYS, "a thread could not be started");
        end(t, r, e);
        node_free(*answer);
        *answer = NULL;
    }
    pthread_attr_destroy(&attr);
    return r;
}

/* ---- asking ---- */

struct node *tasks_rows(struct tasks *ts)
{
    struct node *rows = node_new_list();

    pthread_mutex_lock(&ts->mutex);
    for (const struct task *t = ts->newest; t; t = t->older)
        node_add(rows, node_copy(t->told));
    pthread_mutex_unlock(&ts->mutex);
    return rows;
}

static struct task *find(const struct tasks *ts, const char *id)
{
    for (struct task *t = ts->newest; t; t = t->older)
        if (node_text_is(t->told, "id", id))
            return t;
    return NULL;
}

struct node *tasks_get(struct tasks *ts, const char *id)
{
    struct node *n = NULL;
    const struct task *t;

    pthread_mutex_lock(&ts->mutex);
    t = find(ts, id);
    if (t) {
        n = task_whole(t);
        node_set(n, "log", node_copy(t->log));
    }
    pthread_mutex_unlock(&ts->mutex);
    return n;
}

struct node *tasks_last(struct tasks *ts, const char *kind)
{
    struct node *n = NULL;

    pthread_mutex_lock(&ts->mutex);
    for (const struct task *t = ts->newest; t && !n; t = t->older)
        if (!t->open && node_text_is(t->told, "kind", kind) && t->result)
            n = task_whole(t);
    pthread_mutex_unlock(&ts->mutex);
    return n;
}

bool tasks_cancel(struct tasks *ts, const char *id)
{
    struct task *t;

    pthread_mutex_lock(&ts->mutex);
    t = find(ts, id);
    if (t && t->open) {
        t->asked_to_stop = true;
        cancel_raise(&t->cancel);
        pthread_cond_broadcast(&ts->cond);
    }
    pthread_mutex_unlock(&ts->mutex);
    return t != NULL;
}

/* ---- all of them ---- */

void tasks_init(struct tasks *ts, struct controller *c)
{
    *ts = (struct tasks){.c = c, .path = fs_join(c->data, "tasks.jsonl")};
    pthread_mutex_init(&ts->mutex, NULL);
    pool_cond_init(&ts->cond);
}

static void load_line(struct tasks *ts, const char *line, size_t len)
{
    struct node *n = NULL;
    struct task *t;
    struct err e;

    if (json_parse(&n, ts->path, line, len, &e) < 0) {
        err_drop(&e, "a line of the task history"); /* cut short when the server was killed */
        return;
    }
    t = node_get_text(n, "id") ? find(ts, node_get_text(n, "id")) : NULL;
    if (!t) {
        t = mem_alloc(sizeof(*t));
        *t = (struct task){.ts = ts, .log = node_new_list(), .older = ts->newest};
        cancel_init(&t->cancel);
        ts->newest = t;
    }
    node_free(t->told);
    node_free(t->result);
    t->told = n;
    t->result = node_get(n, "result") ? node_copy(node_get(n, "result")) : NULL;
    node_remove(n, "result");
    forget(ts);
}

int tasks_load(struct tasks *ts, struct err *e)
{
    auto_free char *text = NULL;
    size_t len = 0;

    if (fs_read(&text, &len, ts->path, TASKS_FILE_MAX, e) < 0)
        return e->code == ERR_NOTFOUND ? 0 : -1;
    for (const char *at = text; at < text + len;) {
        const char *stop = memchr(at, '\n', (size_t)(text + len - at));

        stop = stop ? stop : text + len;
        if (stop > at)
            load_line(ts, at, (size_t)(stop - at));
        at = stop + 1;
    }
    for (struct task *t = ts->newest; t; t = t->older)
        if (!node_get(t->told, "ended")) {
            struct err lost;

            err_set(&lost, ERR_INTERRUPTED,
                    "the server ended in the middle of it; the same call "
                    "again goes on");
            node_set_text(t->told, "state", "interrupted");
            set_error(t->told, &lost);
            set_time(t->told, "ended");
        }
    return tasks_write_all(ts, e) < 0 && e->sys != ENOSPC && e->sys != EDQUOT ? -1 : 0;
}

void tasks_stop(struct tasks *ts)
{
    pthread_mutex_lock(&ts->mutex);
    for (struct task *t = ts->newest; t; t = t->older)
        if (t->open)
            cancel_raise(&t->cancel);
    pthread_cond_broadcast(&ts->cond);
    while (ts->open > 0)
        pool_cond_wait(&ts->cond, &ts->mutex, 1000);
    pthread_mutex_unlock(&ts->mutex);
}

void tasks_clear(struct tasks *ts)
{
    while (ts->newest) {
        struct task *t = ts->newest;

        ts->newest = t->older;
        task_free(t);
    }
    free(ts->path);
    pthread_cond_destroy(&ts->cond);
    pthread_mutex_destroy(&ts->mutex);
}

/* SPDX-License-Identifier: MIT */
/* Log streams: each has a thread with an environment of its own, which reads lines into a buffer
 * that the client empties. While it is full, the thread waits, and Docker with it. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "conf/json.h"
#include "controller/api.h"
#include "env/follow.h"
#include "env/instances.h"

enum {
    FULL = 256 << 10, /* no more lines while so many bytes wait */
    LINE_MAX_BYTES = (4 << 20),
    HELD = 16 << 20,    /* bytes of lines of several that one reader may have sorted */
    STALLED_MS = 60000, /* a client that takes nothing for so long has gone */
    TAIL_MAX = 1000000,
};

struct log_reader {
    struct env_opts o;
    struct cancel cancel;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    struct buf out;
    size_t done; /* of `out` */
    bool ended, beat, closed;
    bool cut;  /* something that belongs to it could not be handed over */
    int users; /* the stream and the thread */
    struct stream *stream;
    struct controller *c;
    struct strv words, names;
    bool follow, text, named;
    int tail;
    char *user, *since, *until;
};

static void release(struct log_reader *r)
{
    bool last;

    pthread_mutex_lock(&r->mutex);
    last = --r->users == 0;
    pthread_mutex_unlock(&r->mutex);
    if (!last)
        return;
    pthread_mutex_lock(&r->c->logs_mutex);
    r->c->log_streams--;
    pthread_mutex_unlock(&r->c->logs_mutex);
    cancel_clear(&r->cancel);
    buf_clear(&r->out);
    strv_clear(&r->words);
    strv_clear(&r->names);
    free(r->user);
    free(r->since);
    free(r->until);
    pthread_cond_destroy(&r->cond);
    pthread_mutex_destroy(&r->mutex);
    free(r);
}

/* ---- lines ---- */

/* With U+FFFD for what is not UTF-8, and for NUL. Owned. */
static char *text_of(const char *p, size_t len)
{
    struct buf b;
    uint32_t c;

    buf_init(&b, LINE_MAX_BYTES);
    while (len) {
        size_t n = utf8_decode(&c, p, len);

        if (n && *p)
            buf_add(&b, p, n);
        else
            buf_puts(&b, "\xef\xbf\xbd");
        p += n ? n : 1;
        len -= n ? n : 1;
    }
    return buf_take(&b);
}

static char *format(const struct log_reader *r, const struct logs_line *line)
{
    const char *space = memchr(line->text, ' ', line->len);
    size_t skip = space ? (size_t)(space - line->text) + 1 : 0;
    auto_free char *text = text_of(line->text + skip, line->len - skip);
    auto_free char *time = mem_strndup(line->text, skip ? skip - 1 : 0);
    const char *instance = r->names.items[line->source];
    auto_node struct node *n = NULL;
    auto_free char *json = NULL;

    if (r->text)
        return mem_printf("%s %s %s\n", time, instance, text);
    n = node_new_map();
    node_set_text(n, "instance", instance);
    node_set_int(n, "stream", line->stream);
    node_set_text(n, "time", time);
    node_set_text(n, "text", text);
    json = json_text(n);
    return mem_printf("%s\n", json);
}

/* Whether more is wanted. */
static bool put(struct log_reader *r, const char *text)
{
    int64_t end = clock_deadline(STALLED_MS);
    bool more;

    pthread_mutex_lock(&r->mutex);
    while (r->out.len - r->done > FULL && !r->closed && !clock_passed(end) &&
           !until_is_cancelled((struct until){.cancel = &r->cancel}))
        pool_cond_wait(&r->cond, &r->mutex, 1000);
    more = !r->closed && !clock_passed(end);
    if (more) {
        buf_consume(&r->out, r->done);
        r->done = 0;
        buf_puts(&r->out, text);
        stream_wake(r->stream);
    }
    r->cut = r->cut || !more || r->out.full;
    pthread_mutex_unlock(&r->mutex);
    return more;
}

static bool on_line(void *arg, const struct logs_line *line)
{
    struct log_reader *r = arg;
    auto_free char *text = format(r, line);

    return put(r, text);
}

/* Whose lines follow: whoever prints them in columns has to know before. */
static void put_names(struct log_reader *r)
{
    auto_node struct node *n = node_new_map();
    struct node *list = node_set(n, "instances", node_new_list());

    for (size_t i = 0; i < r->names.count; i++)
        node_add_text(list, r->names.items[i]);
    auto_free char *json = json_text(n);
    auto_free char *line = mem_printf("%s\n", json);

    put(r, line);
}

static int read_lines(struct log_reader *reader, struct err *e)
{
    const struct logs_opts logs = {.tail = reader->tail,
                                   .since = reader->since,
                                   .until = reader->until,
                                   .held_max = HELD,
                                   .line = on_line,
                                   .arg = reader};
    const struct follow_opts follow = {
        .tail = reader->tail, .since = reader->since, .line = on_line, .arg = reader};
    struct env *env = NULL;
    size_t dropped = 0;
    int r = env_open(&env, &reader->o, ENV_NEEDS_NAME | ENV_NEEDS_CONTAINERS, e);

    if (r == 0)
        r = instances_select(&reader->names, env, &reader->words, 0, e);
    if (r == 0 && reader->named)
        put_names(reader);
    if (r == 0 && reader->follow)
        r = follow_run(env, &reader->names, &follow, e);
    else if (r == 0)
        r = logs_read(&dropped, env, &reader->names, &logs, e);
    if (r == 0 && dropped)
        r = err_set(e, ERR_SYS, "%zu lines are not shown; ask for less", dropped);
    env_close(env);
    return r;
}

static void put_error(struct log_reader *r, const struct err *e)
{
    auto_node struct node *n = node_new_map();
    auto_free char *json = NULL, *line = NULL;

    node_set_text(n, "error", e->msg);
    node_set_text(n, "code", err_code_name(e->code));
    json = json_text(n);
    line = mem_printf("%s\n", json);
    put(r, line);
}

static bool is_cut(struct log_reader *r)
{
    bool cut;

    pthread_mutex_lock(&r->mutex);
    cut = r->cut;
    pthread_mutex_unlock(&r->mutex);
    return cut;
}

static void *run(void *arg)
{
    struct log_reader *r = arg;
    struct err e;

    if (read_lines(r, &e) < 0)
        put_error(r, &e);
    else if (!r->text && !is_cut(r))
        put(r, "{\"end\":true}\n");
    pthread_mutex_lock(&r->mutex);
    r->ended = true;
    if (!r->closed)
        stream_wake(r->stream);
    pthread_mutex_unlock(&r->mutex);
    release(r);
    return NULL;
}

/* ---- the stream ---- */

static ssize_t on_read(void *arg, char *p, size_t max)
{
    struct log_reader *r = arg;
    size_t n;
    ssize_t result;

    pthread_mutex_lock(&r->mutex);
    n = r->out.len - r->done;
    n = n < max ? n : max;
    if (n) {
        memcpy(p, r->out.data + r->done, n);
        r->done += n;
        result = (ssize_t)n;
        pthread_cond_signal(&r->cond);
    } else if (r->ended) {
        result = r->cut ? STREAM_CUT : STREAM_END;
    } else {
        result = r->beat && !r->text;
        r->beat = false;
        if (result)
            *p = '\n';
    }
    pthread_mutex_unlock(&r->mutex);
    return result;
}

static void on_beat(void *arg)
{
    struct log_reader *r = arg;

    pthread_mutex_lock(&r->mutex);
    r->beat = true;
    pthread_mutex_unlock(&r->mutex);
}

static void on_close(void *arg)
{
    struct log_reader *r = arg;

    pthread_mutex_lock(&r->mutex);
    r->closed = true;
    pthread_cond_signal(&r->cond);
    pthread_mutex_unlock(&r->mutex);
    cancel_raise(&r->cancel);
    cancel_raise(&r->cancel); /* nobody waits for what is under way */
    release(r);
}

/* ---- the request ---- */

static int read_options(struct log_reader *r, const struct request *q, struct err *e)
{
    const char *format = query_get(&q->query, "format"), *since = query_get(&q->query, "since");
    const char *until = query_get(&q->query, "until"), *tail = query_get(&q->query, "tail");
    long number = -1;

    if (query_flag(&r->follow, &q->query, "follow", e) < 0 ||
        (tail && strcmp(tail, "all") != 0 &&
         query_number(&number, &q->query, "tail", (const long[3]){0, TAIL_MAX, -1}, e) < 0) ||
        (since && logs_time(&r->since, "since", since, e) < 0) ||
        (until && logs_time(&r->until, "until", until, e) < 0))
        return -1;
    r->tail = (int)number;
    r->text = format && strcmp(format, "text") == 0;
    r->named = format && strcmp(format, "named") == 0;
    if (format && !r->text && !r->named && strcmp(format, "json") != 0)
        return err_set(e, ERR_USAGE, "format must be json, named or text");
    if (r->follow && (r->text || until))
        return err_set(e, ERR_USAGE, "follow goes without until and format=text");
    for (size_t i = 0; i < q->query.param_count; i++)
        if (strcmp(q->query.params[i].name, "instance") == 0 ||
            strcmp(q->query.params[i].name, "component") == 0)
            strv_add(&r->words, q->query.params[i].value);
    return 0;
}

/* Whether there may be one more. */
static bool take_place(struct controller *c)
{
    bool room;

    pthread_mutex_lock(&c->logs_mutex);
    room = c->log_streams < CONTROLLER_LOG_STREAMS && !cancel_count(&c->stop);
    c->log_streams += room;
    pthread_mutex_unlock(&c->logs_mutex);
    return room;
}

static struct log_reader *reader_new(struct controller *c, const struct request *q)
{
    struct log_reader *r = mem_alloc(sizeof(*r));

    *r = (struct log_reader){.o = c->env, .c = c, .users = 1, .user = mem_strdup(q->who.user)};
    cancel_init(&r->cancel);
    r->o.cancel = &r->cancel;
    r->o.user = r->user;
    pthread_mutex_init(&r->mutex, NULL);
    pool_cond_init(&r->cond);
    buf_init(&r->out, FULL + LINE_MAX_BYTES * 2);
    return r;
}

int api_logs(struct controller *c, struct request *q, struct err *e)
{
    static const struct stream_calls calls = {on_read, on_beat, on_close, .has_end = true};
    pthread_attr_t attr;
    struct log_reader *r;
    pthread_t id;

    if (!take_place(c)) {
        reply_later(q, 503, 5000, "there are too many log streams");
        return 0;
    }
    r = reader_new(c, q);
    if (read_options(r, q, e) < 0) {
        release(r);
        return -1;
    }
    r->stream = stream_new(&calls, r);
    r->users = 2;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (thread_start(&id, &attr, run, r) != 0) {
        r->users = 1;
        stream_free(r->stream);
        pthread_attr_destroy(&attr);
        return err_set(e, ERR_SYS, "a thread could not be started");
    }
    pthread_attr_destroy(&attr);
    q->reply.stream = r->stream;
    q->reply.type = r->text ? "text/plain; charset=utf-8" : "application/x-ndjson";
    if (r->text)
        reply_header(q, "Content-Disposition", "attachment; filename=\"slipway.log\"");
    return 0;
}

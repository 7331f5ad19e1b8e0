/* SPDX-License-Identifier: MIT */
#include "etcd/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum {
    SILENCE_MS = 60000,
    STOP_CHECK_MS = 200,
    PAUSE_FIRST_MS = 200,
    PAUSE_MAX_MS = 2000,
    KEEP_BYTES = 64 << 10, /* a buffer that a large event has grown further is given back */
};

static bool is_over(const struct watch *w)
{
    struct until until = until_before(w->c->until, w->o->deadline);

    return until_passed(until) || until_is_cancelled(until) ||
           (w->o->stop && w->o->stop(w->o->arg));
}

/* Only changes are told: a silent stream is replaced silently. */
static void tell(struct watch *w, bool connected, const char *why)
{
    if (w->said == (connected ? WATCH_SAID_UP : WATCH_SAID_DOWN))
        return;
    w->said = connected ? WATCH_SAID_UP : WATCH_SAID_DOWN;
    log_debug("etcd: watch %s%s%s", connected ? "runs" : "is interrupted", why ? ": " : "",
              why ? why : "");
    if (w->o->state)
        w->o->state(w->o->arg, connected, why);
}

/* The stream being read. */
struct watch_stream {
    struct http_stream *stream;
    struct buf text;
    size_t scanned; /* bytes of text without a line's end */
    int64_t heard;  /* when the last bytes came */
    size_t endpoint;
    bool runs;
};

/* Told before the first event is. */
static void note_created(struct watch *w, struct watch_stream *s)
{
    if (s->runs || w->created < w->o->prefix_count)
        return;
    s->runs = true;
    client_mark_up(w->c, s->endpoint);
    tell(w, true, NULL);
}

/* Takes in every whole line; the rest at the end of the stream counts as one. */
static enum watch_step take_lines(struct watch *w, struct watch_stream *s, bool ended,
                                  struct err *e)
{
    enum watch_step step = WATCH_STEP_GO_ON;
    size_t from = 0;

    while (step == WATCH_STEP_GO_ON && s->scanned < s->text.len) {
        const char *text = buf_str(&s->text);
        const char *end = memchr(text + s->scanned, '\n', s->text.len - s->scanned);

        if (!end && !ended) {
            s->scanned = s->text.len;
            break;
        }
        size_t len = (end ? (size_t)(end - text) : s->text.len) - from;
        step = watch_line(w, text + from, len, e);
        note_created(w, s);
        from += len + (end ? 1 : 0);
        s->scanned = from;
    }
    buf_consume(&s->text, from);
    s->scanned -= from;
    if (s->text.len == 0 && s->text.cap > KEEP_BYTES)
        buf_clear(&s->text);
    return step;
}

static enum watch_step read_stream(struct watch *w, struct watch_stream *s, struct err *e)
{
    bool ended = false;
    size_t before = s->text.len;
    int r = http_stream_read(&ended, &s->text, s->stream, STOP_CHECK_MS, e);
    struct err why = *e;

    if (s->text.len > before)
        s->heard = clock_now_ms();
    /* Lines first: the last one may say why the stream ends. */
    enum watch_step step = take_lines(w, s, ended || r < 0, e);
    if (step != WATCH_STEP_GO_ON)
        return step;
    if (r < 0) {
        *e = why;
        return why.code == ERR_AUTH ? WATCH_STEP_FAIL : WATCH_STEP_REOPEN;
    }
    if (ended) {
        err_set(e, ERR_NET, "etcd closed the watch");
        return WATCH_STEP_REOPEN;
    }
    return WATCH_STEP_GO_ON;
}

/* The only member was down, so it does not know the token. Others would. */
static void forget_login(struct watch *w)
{
    if (w->c->endpoint_count == 1)
        token_drop(w->c);
}

/* Until the stream ends, falls silent or is not wanted any more. */
static enum watch_step follow(struct watch *w, struct watch_stream *s, struct err *e)
{
    int64_t silence = w->o->silence_ms > 0 ? w->o->silence_ms : SILENCE_MS;
    int64_t created_by = clock_deadline(w->c->opts.timeout_ms);
    enum watch_step step;

    s->heard = clock_now_ms();
    do {
        if (is_over(w))
            return WATCH_STEP_END;
        step = read_stream(w, s, e);
        if (step == WATCH_STEP_GO_ON && !s->runs && clock_passed(created_by)) {
            err_set(e, ERR_TIMEOUT, "no answer in time");
            token_drop(w->c); /* see client_call */
            step = WATCH_STEP_REOPEN;
        }
        if (step == WATCH_STEP_GO_ON && clock_now_ms() - s->heard > silence) {
            e->code = ERR_NONE; /* nothing is wrong with it for certain */
            step = WATCH_STEP_REOPEN;
        }
    } while (step == WATCH_STEP_GO_ON);
    if (step == WATCH_STEP_REOPEN && e->code != ERR_NONE) {
        client_mark_down(w->c, s->endpoint);
        forget_login(w);
    }
    return step;
}

static enum watch_step run_session(struct watch *w, struct err *e)
{
    auto_buf struct buf body = {.max = WIRE_REQUEST_MAX};
    struct watch_stream s = {.endpoint = client_pick(w->c)};
    struct http_request q = {.path = "/v3/watch",
                             .until = until_no_deadline(w->c->until),
                             .connect_timeout_ms = w->c->opts.connect_timeout_ms,
                             .must_have_leader = true,
                             .wake_fd = w->o->wake_fd};

    if (token_ensure(w->c, e) < 0)
        return e->code == ERR_AUTH ? WATCH_STEP_FAIL : WATCH_STEP_REOPEN;
    w->created = 0;
    watch_put_requests(&body, w);
    q.body = buf_str(&body);
    q.body_len = body.len;
    q.token = w->c->token;
    buf_init(&s.text, WIRE_REPLY_MAX);
    if (http_stream_open(&s.stream, &w->c->endpoints[s.endpoint].target, &q, e) < 0) {
        forget_login(w);
        return WATCH_STEP_REOPEN;
    }
    enum watch_step step = follow(w, &s, e);
    http_stream_close(s.stream);
    buf_clear(&s.text);
    if (step == WATCH_STEP_REOPEN && e->code != ERR_NONE)
        err_wrap(e, "%s", w->c->endpoints[s.endpoint].name);
    return step;
}

/* Everything again, then on from that revision. */
static enum watch_step relist(struct watch *w, struct err *e)
{
    struct etcd_kvs all;
    int enough;

    if (!w->o->reset)
        return WATCH_STEP_FAIL; /* *e says what is missing */
    log_debug("etcd: watch lists everything again: %s", e->msg);
    if (etcd_range_many(&all, w->c, w->o->prefixes, w->o->prefix_count, e) < 0)
        return e->code == ERR_AUTH ? WATCH_STEP_FAIL : WATCH_STEP_REOPEN;
    for (size_t i = 0; i < w->o->prefix_count; i++)
        w->next[i] = all.revision + 1;
    enough = w->o->reset(w->o->arg, &all);
    etcd_kvs_clear(&all);
    return enough ? WATCH_STEP_END : WATCH_STEP_RELIST;
}

/* In small pieces, so that the stop function is asked often enough. */
static void rest(const struct watch *w, struct clock_backoff *pause)
{
    struct until until = until_within(w->c->until, clock_backoff_next(pause));

    while (!until_passed(until) && !is_over(w))
        until_sleep_ms(until, STOP_CHECK_MS);
}

/* One round: a session and what its end asks for. */
static enum watch_step go_round(struct watch *w, struct clock_backoff *pause, struct err *e)
{
    *e = (struct err){0};
    enum watch_step step = run_session(w, e);

    if (w->created == w->o->prefix_count)
        pause->tries = 0;
    if (step == WATCH_STEP_RENEW && !token_mend(w->c, WIRE_FAULT_TOKEN))
        return WATCH_STEP_FAIL;
    if (step == WATCH_STEP_RELIST)
        step = relist(w, e);
    if (step == WATCH_STEP_REOPEN && e->code != ERR_NONE)
        tell(w, false, e->msg);
    /* A silent stream is replaced at once; whatever failed, and what may repeat itself, rests. */
    if ((step == WATCH_STEP_REOPEN && e->code != ERR_NONE) || step == WATCH_STEP_RELIST)
        rest(w, pause);
    return step;
}

int etcd_watch_run(struct etcd *c, const struct etcd_watch_opts *o, struct err *e)
{
    struct watch w = {.c = c, .o = o};
    struct clock_backoff pause = {PAUSE_FIRST_MS, PAUSE_MAX_MS, 0};
    enum watch_step step = WATCH_STEP_GO_ON;
    struct err why;

    w.next = mem_array(o->prefix_count + 1, sizeof(*w.next));
    for (size_t i = 0; i < o->prefix_count; i++)
        w.next[i] = o->from_revision;
    while (step != WATCH_STEP_END && step != WATCH_STEP_FAIL && !is_over(&w))
        step = go_round(&w, &pause, &why);
    free(w.next);
    if (step != WATCH_STEP_FAIL)
        return 0;
    *e = why;
    return err_wrap(e, "watching %s%s", o->prefix_count ? o->prefixes[0] : "nothing",
                    o->prefix_count > 1 ? " and others" : "");
}

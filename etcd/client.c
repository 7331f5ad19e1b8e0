/* SPDX-License-Identifier: MIT */
#include "etcd/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum {
    TIMEOUT_MS = 5000,
    CONNECT_TIMEOUT_MS = 2000,
    ATTEMPT_MIN_MS = 1000,
    DOWN_FIRST_MS = 250,
    DOWN_MAX_MS = 10000,
    RETRY_FIRST_MS = 50,
    RETRY_MAX_MS = 1000,
};

static struct link *copy_link(const struct link *from)
{
    struct link *l = mem_alloc(sizeof *l);

    l->tls = from->tls;
    l->user = mem_strdup(from->user);
    l->password = mem_strdup(from->password);
    l->prefix = mem_strdup(from->prefix);
    l->pin = mem_strdup(from->pin);
    l->endpoint_count = from->endpoint_count;
    for (size_t i = 0; i < from->endpoint_count; i++)
        l->endpoints[i] =
            (struct link_endpoint){mem_strdup(from->endpoints[i].host), from->endpoints[i].port};
    return l;
}

int etcd_open(struct etcd **out, const struct link *link, const struct etcd_opts *o, struct err *e)
{
    struct etcd *c;

    *out = NULL;
    if (link->file || link->endpoint_count == 0)
        return err_set(e, ERR_USAGE, "the link names a file, not an etcd");
    c = mem_alloc(sizeof *c);
    c->link = copy_link(link);
    log_redact(link->password);
    c->token = mem_strdup(link->token);
    c->opts = o ? *o : (struct etcd_opts){0};
    if (c->opts.timeout_ms <= 0)
        c->opts.timeout_ms = TIMEOUT_MS;
    if (c->opts.connect_timeout_ms <= 0)
        c->opts.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    c->deadline = CLOCK_NEVER;
    c->endpoint_count = c->link->endpoint_count;
    c->endpoints = mem_array(c->endpoint_count, sizeof *c->endpoints);
    for (size_t i = 0; i < c->endpoint_count; i++) {
        struct endpoint *ep = &c->endpoints[i];
        const struct link_endpoint *le = &c->link->endpoints[i];
        ep->target = (struct http_target){le->host, le->port, c->link->tls, c->link->pin};
        ep->name = mem_printf(strchr(le->host, ':') ? "[%s]:%d" : "%s:%d", le->host, le->port);
        ep->backoff = (struct clock_backoff){DOWN_FIRST_MS, DOWN_MAX_MS, 0};
    }
    *out = c;
    return 0;
}

void etcd_close(struct etcd *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->endpoint_count; i++) {
        http_close(c->endpoints[i].http);
        free(c->endpoints[i].name);
    }
    free(c->endpoints);
    token_drop(c);
    link_free(c->link);
    free(c);
}

int etcd_clone(struct etcd **out, const struct etcd *c, struct err *e)
{
    if (etcd_open(out, c->link, &c->opts, e) < 0)
        return -1;
    token_drop(*out);
    (*out)->token = mem_strdup(c->token);
    (*out)->auth_off = c->auth_off;
    (*out)->deadline = c->deadline;
    (*out)->current = c->current;
    return 0;
}

const char *etcd_token(const struct etcd *c)
{
    return c->token;
}

void etcd_share_login(struct etcd *c, const struct etcd *from)
{
    token_drop(c);
    c->token = mem_strdup(from->token);
    c->auth_off = from->auth_off;
}

/* Password and pin are part of the text. */
bool etcd_is_at(const struct etcd *c, const struct link *link)
{
    auto_wipe char *mine = link_format(c->link, false);
    auto_wipe char *other = link_format(link, false);

    return strcmp(mine, other) == 0;
}

void etcd_set_deadline(struct etcd *c, int64_t deadline)
{
    c->deadline = deadline;
}

const char *etcd_endpoint(const struct etcd *c)
{
    return c->endpoints[c->current].name;
}

int64_t client_deadline(const struct etcd *c, int64_t timeout_ms)
{
    int64_t own = clock_deadline(timeout_ms > 0 ? timeout_ms : c->opts.timeout_ms);

    return own < c->deadline ? own : c->deadline;
}

void client_mark_up(struct etcd *c, size_t endpoint)
{
    struct endpoint *ep = &c->endpoints[endpoint];

    if (endpoint != c->current)
        log_debug("etcd: going on with %s", ep->name);
    ep->down_until = 0;
    ep->backoff.tries = 0;
    c->current = endpoint;
}

void client_mark_down(struct etcd *c, size_t endpoint)
{
    struct endpoint *ep = &c->endpoints[endpoint];

    ep->down_until = clock_deadline(clock_backoff_next(&ep->backoff));
}

size_t client_pick(const struct etcd *c)
{
    /* One that has not failed comes before one whose pause is over: that may be a millisecond. */
    for (unsigned failed = 0; failed < 2; failed++)
        for (size_t i = 0; i < c->endpoint_count; i++) {
            size_t at = (c->current + i) % c->endpoint_count;
            const struct endpoint *ep = &c->endpoints[at];
            if (clock_passed(ep->down_until) && (failed || ep->backoff.tries == 0))
                return at;
        }
    return c->current;
}

/* Fills `order` with the endpoints to ask: those whose breaker is closed first, from the current
 * one on; the others last, since a breaker may be wrong and must never be what makes a call fail.
 */
static size_t order_endpoints(size_t order[LINK_ENDPOINTS_MAX], const struct etcd *c,
                              const struct call *q)
{
    size_t n = 0;

    if (q->fixed) {
        order[0] = q->endpoint;
        return 1;
    }
    for (int down = 0; down < 2; down++)
        for (size_t i = 0; i < c->endpoint_count; i++) {
            size_t at = (c->current + i) % c->endpoint_count;
            if (clock_passed(c->endpoints[at].down_until) == !down)
                order[n++] = at;
        }
    return n;
}

/* A member that hangs must not eat the time of those that would answer. */
static int64_t attempt_deadline(const struct call *q, int64_t deadline, size_t others)
{
    int64_t left = clock_left_ms(deadline), share = left / 2;

    if (others == 0 || q->kind == CALL_ONCE)
        return deadline;
    if (share < ATTEMPT_MIN_MS)
        share = ATTEMPT_MIN_MS;
    return share < left ? clock_deadline(share) : deadline;
}

static struct http_request request_of(const struct etcd *c, const struct call *q, int64_t deadline)
{
    return (struct http_request){
        .path = q->path,
        .body = buf_str(q->body),
        .body_len = q->body->len,
        .token = q->tokenless ? NULL : c->token,
        .deadline = deadline,
        .connect_timeout_ms = c->opts.connect_timeout_ms,
    };
}

/* One post to one endpoint. -1: no answer. */
static int ask(struct http_result *r, struct buf *reply, struct endpoint *ep,
               const struct http_request *request, struct err *e)
{
    *r = (struct http_result){0};
    if (!ep->http && http_open(&ep->http, &ep->target, e) < 0)
        return -1;
    return http_post(r, reply, ep->http, request, e);
}

/* One line of all that was tried; the most telling code wins. */
static void note_failure(struct buf *all, enum err_code *code, const char *name,
                         const struct err *why)
{
    buf_printf(all, "%s%s: %s", all->len ? "; " : "", name, why->msg);
    if (*code == ERR_NONE || why->code == ERR_AUTH ||
        (why->code == ERR_NET && *code == ERR_TIMEOUT))
        *code = why->code;
}

/* Asks one endpoint after the other until one answers. NONE: `reply` is a good answer. */
static enum wire_fault ask_all(struct buf *reply, struct etcd *c, const struct call *q,
                               int64_t deadline, struct err *e)
{
    size_t order[LINK_ENDPOINTS_MAX], count = order_endpoints(order, c, q);
    auto_buf struct buf all = {.max = ERR_MSG_MAX};
    enum err_code code = ERR_NONE;
    struct http_result r;
    struct err why;

    for (size_t i = 0; i < count; i++) {
        const char *name = c->endpoints[order[i]].name;
        int64_t until = attempt_deadline(q, deadline, count - i - 1);
        struct http_request request = request_of(c, q, until);
        if (ask(&r, reply, &c->endpoints[order[i]], &request, &why) == 0) {
            /* Asking one member for its state does not make it the one for everything. */
            if (!q->fixed)
                client_mark_up(c, order[i]);
            return wire_failure(r.status, buf_str(reply), reply->len, e);
        }
        if (r.too_big) {
            *e = why;
            return WIRE_FAULT_TOO_BIG;
        }
        client_mark_down(c, order[i]);
        note_failure(&all, &code, name, &why);
        if (r.sent && q->kind == CALL_ONCE) {
            buf_puts(&all, "; whether it was done is not known");
            break;
        }
        c->repeated = c->repeated || r.sent;
        if (clock_passed(deadline))
            break;
    }
    err_set(e, code, "etcd at %s", buf_str(&all));
    return WIRE_FAULT_OTHER;
}

/* What has been tried for one call. */
struct tries {
    struct clock_backoff pause;
    int64_t deadline;
    bool mended; /* the token, which is done once */
    bool moved;  /* users or roles changed meanwhile */
};

/* After an answer that is no success: true when the call goes out again. */
static bool may_repeat(struct etcd *c, const struct call *q, enum wire_fault fault, struct tries *t)
{
    int64_t wait;

    switch (fault) {
    case WIRE_FAULT_TOKEN:
    case WIRE_FAULT_AUTH_OFF:
        if (q->tokenless || t->mended)
            return false;
        t->mended = true;
        return token_mend(c, fault);
    case WIRE_FAULT_AUTH_MOVED:
        /* While somebody makes users and roles this may happen more than once in a row. */
        wait = clock_backoff_next(&t->pause);
        if (q->tokenless || wait >= clock_left_ms(t->deadline))
            return false;
        clock_sleep_ms(wait);
        /* A plain token is as good as before; only a signed one names the revision it was made at.
         */
        if (t->moved)
            return token_mend(c, fault);
        t->moved = true;
        return true;
    case WIRE_FAULT_NOT_HERE:
    case WIRE_FAULT_UNAVAILABLE:
        wait = clock_backoff_next(&t->pause);
        if ((q->kind == CALL_ONCE && fault == WIRE_FAULT_UNAVAILABLE) ||
            wait >= clock_left_ms(t->deadline))
            return false;
        /* Another member may still have a leader. */
        if (!q->fixed) {
            client_mark_down(c, c->current);
            c->current = client_pick(c);
        }
        c->repeated = c->repeated || fault == WIRE_FAULT_UNAVAILABLE;
        clock_sleep_ms(wait);
        return true;
    default:
        return false;
    }
}

int client_call(struct wire **out, struct etcd *c, const struct call *q, enum wire_fault *fault,
                struct err *e)
{
    size_t max = q->reply_max ? q->reply_max : WIRE_REPLY_MAX;
    auto_buf struct buf reply = {.max = max};
    struct tries tries = {.pause = {RETRY_FIRST_MS, RETRY_MAX_MS, 0},
                          .deadline = client_deadline(c, q->timeout_ms)};
    enum wire_fault got;

    *out = NULL;
    if (fault)
        *fault = WIRE_FAULT_OTHER;
    if (q->body->full)
        return err_set(e, ERR_USAGE, "the request is larger than %d bytes", WIRE_REQUEST_MAX);
    if (!q->tokenless)
        c->repeated = false;
    do {
        if (!q->tokenless && token_ensure(c, e) < 0)
            return -1;
        got = ask_all(&reply, c, q, tries.deadline, e);
    } while (may_repeat(c, q, got, &tries));
    /* A token carries the index that it was made at, and etcd waits for that: one that lost its
     * data would wait for ever. One that was away knows no token of before either. So the next
     * call logs in anew. */
    if (got == WIRE_FAULT_OTHER && (e->code == ERR_TIMEOUT || e->code == ERR_NET) && !q->tokenless)
        token_drop(c);
    if (fault)
        *fault = got;
    return got == WIRE_FAULT_NONE ? wire_parse(out, buf_str(&reply), reply.len, e) : -1;
}

int client_do(struct etcd *c, const struct call *q, struct err *e)
{
    auto_wire struct wire *reply = NULL;

    return client_call(&reply, c, q, NULL, e);
}

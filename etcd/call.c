/* SPDX-License-Identifier: MIT */
/* The one way every call goes. */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "etcd/client.h"

enum { ATTEMPT_MIN_MS = 1000, RETRY_FIRST_MS = 50, RETRY_MAX_MS = 1000 };

/* Fills `order` with the endpoints to ask: those whose breaker is closed first, from
 * the current one on; the others last, since a breaker may be wrong and must never
 * be what makes a call fail. */
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
static struct until attempt_until(const struct call *q, struct until until, size_t others)
{
    int64_t share = until_left_ms(until) / 2;

    if (others == 0 || q->kind == CALL_ONCE)
        return until;
    return until_within(until, share < ATTEMPT_MIN_MS ? ATTEMPT_MIN_MS : share);
}

static struct http_request request_of(const struct etcd *c, const struct call *q,
                                      struct until until)
{
    return (struct http_request){
        .path = q->path,
        .body = buf_str(q->body),
        .body_len = q->body->len,
        .token = q->tokenless ? NULL : c->token,
        .until = until,
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
                               struct until until, struct err *e)
{
    size_t order[LINK_ENDPOINTS_MAX], count = order_endpoints(order, c, q);
    auto_buf struct buf all = {.max = ERR_MSG_MAX};
    enum err_code code = ERR_NONE;
    struct http_result r;
    struct err why;

    for (size_t i = 0; i < count; i++) {
        const char *name = c->endpoints[order[i]].name;
        struct http_request request = request_of(c, q, attempt_until(q, until, count - i - 1));

        if (ask(&r, reply, &c->endpoints[order[i]], &request, &why) == 0) {
            /* Asking one member for its state does not make it the one for everything. */
            if (!q->fixed)
                client_mark_up(c, order[i]);
            return wire_failure(r.status, buf_str(reply), reply->len, e);
        }
        if (r.too_big || why.code == ERR_INTERRUPTED) {
            *e = why;
            return r.too_big ? WIRE_FAULT_TOO_BIG : WIRE_FAULT_OTHER;
        }
        client_mark_down(c, order[i]);
        note_failure(&all, &code, name, &why);
        if (r.sent && q->kind == CALL_ONCE) {
            buf_puts(&all, "; whether it was done is not known");
            break;
        }
        c->repeated = c->repeated || r.sent;
        if (until_passed(until))
            break;
    }
    err_set(e, code, "etcd at %s", buf_str(&all));
    return WIRE_FAULT_OTHER;
}

/* ---- the token ---- */

/*
 * It is fetched when the first call needs one and again when etcd does not know it any more: etcd
 * forgets tokens after --auth-token-ttl without use, at a restart, and when the password changes.
 */
int token_ensure(struct etcd *c, struct err *e)
{
    auto_buf struct buf body = {.max = 2 * LINK_MAX * 6};
    auto_wire struct wire *reply = NULL;
    enum wire_fault fault;

    if (c->token || c->auth_off || !c->link->user || !c->link->password)
        return 0;
    buf_putc(&body, '{');
    wire_put_text(&body, "name", c->link->user);
    buf_putc(&body, ',');
    wire_put_text(&body, "password", c->link->password);
    buf_putc(&body, '}');
    struct call q = {
        .path = "/v3/auth/authenticate", .body = &body, .kind = CALL_READ, .tokenless = true};
    if (client_call(&reply, c, &q, &fault, e) < 0) {
        if (fault == WIRE_FAULT_AUTH_OFF) {
            c->auth_off = true;
            return 0;
        }
        if (fault == WIRE_FAULT_LOGIN && c->link->refused_hint) {
            auto_free char *why = mem_strdup(e->msg);

            return err_set(e, ERR_AUTH, "user %s: %s; %s", c->link->user, why,
                           c->link->refused_hint);
        }
        return err_wrap(e, "user %s", c->link->user);
    }
    if (!*wire_text(reply, "token"))
        return err_set(e, ERR_REMOTE, "etcd gave no token to user %s", c->link->user);
    c->token = mem_strdup(wire_text(reply, "token"));
    return 0;
}

bool token_mend(struct etcd *c, enum wire_fault fault)
{
    bool had = c->token != NULL;

    token_drop(c);
    if (fault == WIRE_FAULT_AUTH_OFF) {
        c->auth_off = true;
        return had;
    }
    c->auth_off = false;
    return c->link->user && c->link->password;
}

/* ---- the call ---- */

/* What has been tried for one call. */
struct tries {
    struct clock_backoff pause;
    struct until until;
    bool mended; /* the token, which is done once */
    bool moved;  /* users or roles changed meanwhile */
};

/* After an answer that is not a success: true when the call goes out again. */
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
        if (q->tokenless || wait >= until_left_ms(t->until))
            return false;
        until_sleep_ms(t->until, wait);
        /* A plain token is as good as before; only a signed one names the
         * revision it was made at. */
        if (t->moved)
            return token_mend(c, fault);
        t->moved = true;
        return true;
    case WIRE_FAULT_NOT_HERE:
    case WIRE_FAULT_UNAVAILABLE:
        wait = clock_backoff_next(&t->pause);
        if ((q->kind == CALL_ONCE && fault == WIRE_FAULT_UNAVAILABLE) ||
            wait >= until_left_ms(t->until))
            return false;
        /* Another member may still have a leader. */
        if (!q->fixed) {
            client_mark_down(c, c->current);
            c->current = client_pick(c);
        }
        c->repeated = c->repeated || fault == WIRE_FAULT_UNAVAILABLE;
        until_sleep_ms(t->until, wait);
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
                          .until = client_until(c, q->timeout_ms)};
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
        got = ask_all(&reply, c, q, tries.until, e);
    } while (may_repeat(c, q, got, &tries));
    /* A token carries the index that it was made at, and etcd waits for that: one that lost its
     * data would wait for ever. One that was down does not know the token either. So the next
     * call logs in again. */
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

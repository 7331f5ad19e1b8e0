/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/json.h"
#include "controller/audit_log.h"
#include "controller/login.h"
#include "controller/server_own.h"
#include "controller/form.h"
#include "controller/web.h"

static bool changes(const struct request *q)
{
    return q->route && q->route->method != METHOD_GET;
}

/* ---- the head ---- */

static int refuse(struct request *q, int status, const struct err *e)
{
    reply_problem(q, status, "request", NULL, e->msg);
    return -1;
}

static int refuse_size(struct exchange *x)
{
    struct err e;

    err_set(&e, ERR_USAGE, "the body is longer than the %zu bytes of this path", x->body.max);
    return refuse(&x->q, 413, &e);
}

/* In its container they are configuration. */
static struct headers_known known_of(const struct controller *c, const struct strv *items)
{
    return (struct headers_known){items, c->env.self ? c->env.name : NULL};
}

static int check_head(struct exchange *x)
{
    struct request *q = &x->q;
    const struct headers_known names = known_of(x->s->c, &x->s->c->names);
    struct err e;

    if (q->headers.full) {
        err_set(&e, ERR_USAGE, "the headers are too many or too long");
        return refuse(q, 431, &e);
    }
    if (headers_check_single(&q->headers, &e) < 0 ||
        headers_length(&x->expected, &q->headers, &e) < 0)
        return refuse(q, 400, &e);
    if (headers_check_host(&q->headers, &names, &e) < 0)
        return refuse(q, e.code == ERR_AUTH ? 403 : 400, &e);
    if (query_parse(&q->query, x->target, &e) < 0)
        return refuse(q, 400, &e);
    return 0;
}

static int find_route(struct exchange *x)
{
    struct request *q = &x->q;
    enum method method = METHOD_GET;
    unsigned allowed = 0;
    bool known = method_parse(&method, x->method);

    q->route = route_find(q->args, &allowed, &q->query, method);
    if (q->route && known) {
        struct err e;

        if (route_check_query(q->route, &q->query, &e) == 0)
            return 0;
        reply_error(q, &e, NULL);
        return -1;
    }
    q->route = NULL;
    if (!allowed && known && method == METHOD_GET && web_find(q))
        return -1;
    if (!allowed) {
        reply_problem(q, 404, "notfound", NULL, "there is nothing at this path");
        return -1;
    }
    auto_strv struct strv methods = {0};

    for (int m = METHOD_GET; m <= METHOD_DELETE; m++)
        if (allowed & (1U << m))
            strv_add(&methods, method_name((enum method)m));
    auto_free char *text = strv_join(&methods, ", ");

    reply_header(q, "Allow", text);
    reply_problem(q, 405, "request", NULL, "this path does not have that method");
    return -1;
}

static int check_who(struct exchange *x)
{
    struct request *q = &x->q;
    struct controller *c = x->s->c;
    const struct headers_known trusted = known_of(c, &c->trusted);
    bool bearer = headers_bearer(&q->headers) != NULL, known = login_who(c, q);
    struct err e;

    if (known && changes(q) && headers_check_origin(&q->headers, &trusted, bearer, &e) < 0) {
        reply_problem(q, 403, "auth", NULL, e.msg);
        return -1;
    }
    if (q->route->role <= q->who.role && known)
        return 0;
    if (q->route->role == ACCESS_ROLE_ANYBODY) {
        /* Nobody is logged in here; a page of others may not log somebody in all the same. */
        if (!changes(q) || !headers_get(&q->headers, "Origin") ||
            headers_check_origin(&q->headers, &trusted, false, &e) == 0)
            return 0;
        reply_problem(q, 403, "auth", NULL, e.msg);
        return -1;
    }
    if (!known && !people_is_loaded(&c->people)) {
        reply_later(q, 503, 5000, "etcd, which has the users, could not be asked yet");
        return -1;
    }
    if (!known) {
        reply_header(q, "WWW-Authenticate", "Bearer");
        reply_problem(q, 401, "auth", NULL, "this needs a login or a token");
        return -1;
    }
    auto_free char *detail =
        mem_printf("this needs the role %s, and %s has %s", access_role_name(q->route->role),
                   q->who.user, access_role_name(q->who.role));

    reply_problem(q, 403, "auth", NULL, detail);
    return -1;
}

static int check_type(struct exchange *x)
{
    struct request *q = &x->q;

    if (!changes(q) || x->expected == 0 || headers_is_json(&q->headers))
        return 0;
    reply_problem(q, 415, "request", NULL, "the body must be application/json");
    return -1;
}

static int check_size(struct exchange *x)
{
    x->body.max = route_body_max(x->q.route);
    return x->expected <= (int64_t)x->body.max ? 0 : refuse_size(x);
}

void exchange_begin(struct exchange *x)
{
    x->broken = check_head(x) < 0;
    x->refused = x->broken || find_route(x) < 0 || check_who(x) < 0 || check_type(x) < 0 ||
                 check_size(x) < 0;
    if (!x->refused && !changes(&x->q) && x->expected != 0) {
        reply_problem(&x->q, 400, "request", NULL, "a GET has no body");
        x->refused = true;
    }
}

/* ---- the body ---- */

bool exchange_complete(struct exchange *x)
{
    struct request *q = &x->q;
    const char *schema = q->route->body;
    struct problems p;
    struct err e;
    bool good;

    if (x->body.full) {
        refuse_size(x);
        return false;
    }
    if (x->body.len && json_parse(&q->body, "body", buf_str(&x->body), x->body.len, &e) < 0) {
        reply_problem(q, 400, "usage", NULL, e.msg);
        return false;
    }
    if (!schema) {
        if (!q->body || (q->body->kind == NODE_KIND_MAP && q->body->count == 0))
            return true;
        reply_problem(q, 400, "usage", NULL, "this takes no body");
        return false;
    }
    if (!q->body)
        q->body = node_new_map();
    problems_init(&p, NULL);
    form_check(x->s->c->schemas, schema, q->body, &p);
    good = problems_result(&p, &e) == 0;
    if (!good)
        reply_problem(q, 400, "usage", &p.lines, e.msg);
    problems_clear(&p);
    return good;
}

void exchange_run(struct exchange *x)
{
    struct request *q = &x->q;
    struct err e = {0};

    log_field("component", q->route->id);
    if (q->route->run(x->s->c, q, &e) < 0)
        reply_error(q, &e, NULL);
    if (!q->reply.status)
        q->reply.status = q->route->status;
    if (changes(q))
        audit_log_add(x->s->c, q);
}

void exchange_finish(struct exchange *x)
{
    static const char *const always[] = {
        "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer",
        "Cross-Origin-Opener-Policy: same-origin", "Cross-Origin-Resource-Policy: same-origin",
        "Strict-Transport-Security: max-age=31536000"};
    struct request *q = &x->q;
    bool api = q->query.part_count && strcmp(q->query.parts[0], "api") == 0;

    if (!q->reply.status)
        q->reply.status = q->route ? q->route->status : 200;
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        strv_add(&q->reply.headers, always[i]);
    if (q->route || api)
        reply_header(q, "Cache-Control", "no-store");
    if (q->route || q->reply.status != 200)
        reply_header(q, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
}

/* SPDX-License-Identifier: MIT */
#include "controller/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "conf/json.h"

void reply_clear(struct reply *r)
{
    free(r->body);
    shared_text_release(r->shared);
    strv_clear(&r->headers);
    *r = (struct reply){0};
}

void reply_text(struct request *q, const char *type, char *text)
{
    free(q->reply.body);
    q->reply.type = type;
    q->reply.body = text;
    q->reply.len = strlen(text);
}

void reply_header(struct request *q, const char *name, const char *value)
{
    strv_addf(&q->reply.headers, "%s: %s", name, value);
}

bool reply_tag(struct request *q, const char *tag)
{
    strv_addf(&q->reply.headers, "ETag: \"%s\"", tag);
    if (!headers_has_tag(headers_get(&q->headers, "If-None-Match"), tag))
        return false;
    q->reply.status = 304;
    return true;
}

void reply_shared(struct request *q, struct shared_text *text)
{
    if (reply_tag(q, text->tag))
        shared_text_release(text);
    else
        q->reply.shared = text;
}

static const char *title_of(int status)
{
    static const struct {
        int status;
        const char *title;
    } rows[] = {
        {400, "Bad request"},
        {401, "Nobody is logged in"},
        {403, "Not allowed"},
        {404, "Not found"},
        {405, "Method not allowed"},
        {409, "Conflict"},
        {412, "Changed meanwhile"},
        {413, "Too large"},
        {415, "Not JSON"},
        {422, "Invalid"},
        {428, "If-Match is missing"},
        {429, "Too many tries"},
        {431, "Headers too large"},
        {500, "Failed"},
        {502, "Failed on the other side"},
        {503, "Not now"},
        {504, "Too late"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].status == status)
            return rows[i].title;
    return "Failed";
}

void reply_problem(struct request *q, int status, const char *code, const struct strv *problems,
                   const char *detail)
{
    auto_node struct node *n = node_new_map();
    auto_free char *safe = mem_strdup(detail);
    struct node *list;

    log_redact_text(safe);
    node_set_text(n, "type", "about:blank");
    node_set_text(n, "title", title_of(status));
    node_set_int(n, "status", status);
    node_set_text(n, "code", code);
    node_set_text(n, "detail", safe);
    if (problems && problems->count) {
        list = node_set(n, "problems", node_new_list());
        for (size_t i = 0; i < problems->count; i++)
            node_add_text(list, problems->items[i]);
    }
    snprintf(q->detail, sizeof(q->detail), "%s", safe);
    reply_text(q, "application/problem+json", json_text(n));
    q->reply.status = status;
}

void reply_error(struct request *q, const struct err *e, const struct strv *problems)
{
    static const int statuses[] = {
        [ERR_USAGE] = 400,       [ERR_CONFIG] = 422, [ERR_NOTFOUND] = 404, [ERR_CONFLICT] = 409,
        [ERR_AUTH] = 500,        [ERR_NET] = 503,    [ERR_TIMEOUT] = 504,  [ERR_REMOTE] = 502,
        [ERR_SYS] = 500,         [ERR_LOCKED] = 409, [ERR_PARTIAL] = 500,  [ERR_UNHEALTHY] = 409,
        [ERR_INTERRUPTED] = 503,
    };
    int status = e->code > ERR_NONE && e->code < ARRAY_LEN(statuses) ? statuses[e->code] : 500;

    if (status == 503)
        reply_header(q, "Retry-After", "5");
    reply_problem(q, status, err_code_name(e->code), problems, e->msg);
}

void reply_later(struct request *q, int status, int64_t wait_ms, const char *detail)
{
    auto_free char *seconds = mem_printf("%lld", (long long)((wait_ms + 999) / 1000));

    reply_header(q, "Retry-After", seconds);
    reply_problem(q, status, status == 429 ? "limit" : "busy", NULL, detail);
}

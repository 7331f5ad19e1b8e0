/* SPDX-License-Identifier: MIT */
#include "fake/etcd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "etcd/http.h"

enum { ANSWERS_MAX = 64, REQUESTS_MAX = 256 };

struct answer {
    const char *path, *body;
    long status;
    enum err_code fail;
    bool sent, too_big;
};

struct request {
    char *path, *body, *token, *host;
};

static struct {
    struct answer answers[ANSWERS_MAX];
    size_t answer_count, answered;
    const char *pieces[ANSWERS_MAX];
    size_t piece_count, pieced;
    struct request requests[REQUESTS_MAX];
    size_t request_count;
} fake;

struct http {
    char *host;
};

int __wrap_http_open(struct http **out, const struct http_target *target, struct err *e);
void __wrap_http_close(struct http *h);
int __wrap_http_post(struct http_result *r, struct buf *reply, struct http *h,
                     const struct http_request *q, struct err *e);
int __wrap_http_stream_open(struct http_stream **out, const struct http_target *target,
                            const struct http_request *q, struct err *e);
int __wrap_http_stream_read(bool *ended, struct buf *into, struct http_stream *s, int64_t wait_ms,
                            struct err *e);
void __wrap_http_stream_close(struct http_stream *s);

static void stop(const char *why, const char *what)
{
    fprintf(stderr, "fake etcd: %s %s\n", why, what);
    abort();
}

void fake_etcd_reset(void)
{
    for (size_t i = 0; i < fake.request_count; i++) {
        free(fake.requests[i].path);
        free(fake.requests[i].body);
        free(fake.requests[i].token);
        free(fake.requests[i].host);
    }
    memset(&fake, 0, sizeof(fake));
}

static struct answer *next_answer(void)
{
    if (fake.answer_count == ANSWERS_MAX)
        stop("too many answers", "");
    return &fake.answers[fake.answer_count++];
}

void fake_etcd_answer(const char *path, long status, const char *body)
{
    *next_answer() = (struct answer){.path = path, .status = status, .body = body};
}

void fake_etcd_fail(enum err_code code, bool sent)
{
    *next_answer() = (struct answer){.fail = code, .sent = sent};
}

void fake_etcd_too_big(void)
{
    *next_answer() = (struct answer){.fail = ERR_REMOTE, .sent = true, .too_big = true};
}

void fake_etcd_piece(const char *text)
{
    if (fake.piece_count == ANSWERS_MAX)
        stop("too many pieces", "");
    fake.pieces[fake.piece_count++] = text;
}

size_t fake_etcd_count(void)
{
    return fake.request_count;
}

static const struct request *request(size_t i)
{
    if (i >= fake.request_count)
        stop("there was no such request", "");
    return &fake.requests[i];
}

const char *fake_etcd_path(size_t i)
{
    return request(i)->path;
}

const char *fake_etcd_body(size_t i)
{
    return request(i)->body;
}

const char *fake_etcd_token(size_t i)
{
    return request(i)->token;
}

const char *fake_etcd_host(size_t i)
{
    return request(i)->host;
}

static void note(const char *host, const struct http_request *q)
{
    if (fake.request_count == REQUESTS_MAX)
        stop("too many requests", q->path);
    fake.requests[fake.request_count++] =
        (struct request){mem_strdup(q->path), mem_strndup(q->body, q->body_len),
                         mem_strdup(q->token ? q->token : ""), mem_strdup(host)};
}

int __wrap_http_open(struct http **out, const struct http_target *target, struct err *e)
{
    (void)e;
    *out = mem_alloc(sizeof(**out));
    (*out)->host = mem_strdup(target->host);
    return 0;
}

void __wrap_http_close(struct http *h)
{
    if (h)
        free(h->host);
    free(h);
}

int __wrap_http_post(struct http_result *r, struct buf *reply, struct http *h,
                     const struct http_request *q, struct err *e)
{
    note(h->host, q);
    if (fake.answered == fake.answer_count)
        stop("no answer is prepared for", q->path);
    const struct answer *a = &fake.answers[fake.answered++];
    buf_reset(reply);
    *r = (struct http_result){.status = a->status, .sent = a->sent, .too_big = a->too_big};
    if (a->fail)
        return err_set(e, a->fail, "prepared failure");
    if (a->path && strcmp(a->path, q->path) != 0)
        stop("another answer was expected at", q->path);
    r->sent = true;
    buf_puts(reply, a->body);
    return 0;
}

int __wrap_http_stream_open(struct http_stream **out, const struct http_target *target,
                            const struct http_request *q, struct err *e)
{
    (void)e;
    note(target->host, q);
    *out = mem_alloc(1);
    return 0;
}

int __wrap_http_stream_read(bool *ended, struct buf *into, struct http_stream *s, int64_t wait_ms,
                            struct err *e)
{
    (void)s, (void)wait_ms, (void)e;
    if (fake.pieced == fake.piece_count)
        stop("no piece is prepared for", "the stream");
    const char *piece = fake.pieces[fake.pieced++];
    *ended = !piece;
    if (piece)
        buf_puts(into, piece);
    return 0;
}

void __wrap_http_stream_close(struct http_stream *s)
{
    free(s);
}

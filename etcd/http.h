/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 with deadlines to one endpoint; the only user of libcurl here, and the seam the unit
 * tests replace (tests/fake/etcd.c). One connection is kept open per struct http. With a pin the
 * server is its public key and nothing else; without one the system's authorities and the host name
 * count.
 */
#ifndef ETCD_HTTP_H
#define ETCD_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/until.h"

struct http_target {
    const char *host; /* IPv6 without brackets */
    int port;
    bool tls;
    const char *pin; /* "sha256//..." or NULL */
};

struct http_request {
    const char *path; /* "/v3/kv/range" */
    const char *body;
    size_t body_len;
    const char *token; /* NULL: none */
    struct until until;
    int64_t connect_timeout_ms;
    bool must_have_leader; /* streams: end when the member loses its leader */
    int wake_fd;           /* streams: reading returns when it is readable; 0: none */
};

/* How a request ended. */
struct http_result {
    long status;  /* 0: no answer */
    bool sent;    /* the request may have reached the server */
    bool too_big; /* the reply was longer than its buffer's maximum */
};

struct http;
/* *out owned, http_close; it connects with the first request. */
int http_open(struct http **out, const struct http_target *target, struct err *e);
void http_close(struct http *h);
/* The answer's body goes to `reply`, which is emptied first. -1: no complete answer came (ERR_NET,
 * ERR_TIMEOUT, ERR_INTERRUPTED, ERR_AUTH for a wrong pin or certificate, ERR_REMOTE too big); *r is
 * filled always. */
int http_post(struct http_result *r, struct buf *reply, struct http *h,
              const struct http_request *q, struct err *e);

/* A reply without an end, on a connection of its own. */
struct http_stream;
int http_stream_open(struct http_stream **out, const struct http_target *target,
                     const struct http_request *q, struct err *e);
/* Waits up to wait_ms for bytes and appends them to `into`. *ended: nothing more will come; then an
 * error says why unless the server ended it properly. q's deadline is for the connection only;
 * its cancel wakes the wait. */
int http_stream_read(bool *ended, struct buf *into, struct http_stream *s, int64_t wait_ms,
                     struct err *e);
void http_stream_close(struct http_stream *s);

#endif

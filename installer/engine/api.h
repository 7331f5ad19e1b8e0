/* SPDX-License-Identifier: MIT */
/*
 * One request to the Docker Engine with a deadline: the seam that tests replace. Success is a 2xx
 * or 304; every other answer becomes an error in the operator's words. A stream of any length
 * passes through `chunk`; without it the answer is one JSON document of at most 32 MiB.
 */
#ifndef ENGINE_API_H
#define ENGINE_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "conf/node.h"
#include "engine/shape.h"

struct engine;

struct api_request {
    const char *method;
    const char *path;          /* behind the version */
    const struct shape *shape; /* of the answer; with `out` only, and then always */
    const struct node *body;   /* sent as JSON; or ... */
    int *tar_fd;               /* ... a tar file from its beginning; or ... */
    const void *tar;           /* ... one in memory */
    size_t tar_len;
    int64_t deadline; /* clock.h; what engine_set_until says counts besides */
    /* Part of a successful answer; -1 with *e filled ends the request with that error. */
    int (*chunk)(void *arg, const char *p, size_t len, struct err *e);
    bool (*stop)(void *arg); /* asked each 200 ms; true ends the request with success */
    void *arg;
};

/* *out (may be NULL: the answer is not read) is the JSON answer, of the shape that was asked for.
 * Empty, not JSON or of another shape: ERR_REMOTE, and *out is NULL. */
int api_call(struct node **out, struct engine *g, const struct api_request *r, struct err *e);

/* What api_call makes of an answer that is there as a whole; with `chunk` the body is that of an
 * error only. Pure. */
int api_answer_parse(struct node **out, const struct api_request *r, long status,
                     const struct buf *body, struct err *e);
bool api_is_success(long status);
/* The error for an HTTP status and the body that came with it. Pure. Returns -1. */
int api_error(long status, const char *body, size_t len, struct err *e);
/* The same for a message of Docker's, as found inside a stream. */
int api_error_text(long status, const char *message, struct err *e);

/* Borrowed: the path of the socket. */
const char *api_socket(const struct engine *g);
bool api_is_read_only(const struct engine *g);

/* Bytes of the answer to an ordinary call. */
enum { API_ANSWER_MAX = 32 << 20 };
/* Deadlines of ordinary calls: reads, and changes that make the engine work. */
enum { API_READ_MS = 60 * 1000, API_CHANGE_MS = 180 * 1000 };

#endif

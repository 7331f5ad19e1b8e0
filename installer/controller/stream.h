/* SPDX-License-Identifier: MIT */
/*
 * An answer without an end: bytes are asked for when the client can take more, and whoever has some
 * says so. It sleeps in between, so that a hundred of them cost no thread.
 */
#ifndef CONTROLLER_STREAM_H
#define CONTROLLER_STREAM_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "env/access.h"

struct MHD_Connection;
struct server;

enum { STREAM_END = -1, STREAM_CUT = -2 };

struct stream_calls {
    /* Up to `max` bytes into p; 0: none now; STREAM_END; STREAM_CUT: no more, and it is not all, so
     * that the connection is broken off in the middle of the answer. */
    ssize_t (*read)(void *arg, char *p, size_t max);
    /* A sign of life is due: the next read gives one. */
    void (*beat)(void *arg);
    /* Nobody reads any more. After it, `arg` is not used again. */
    void (*close)(void *arg);
    bool has_end; /* whoever is made to end before, by stream_end, is cut short */
};

struct stream {
    const struct stream_calls *calls;
    void *arg;
    char token[17];        /* it ends when this token does, */
    enum access_role role; /* or is good for less than when it began */
    pthread_mutex_t mutex;
    struct MHD_Connection *connection;
    bool suspended, woken, ended;
    struct server *server;
    struct stream *next, *previous; /* the server's list */
};

/* For a route to answer with, owned; whoever frees it has calls->close(arg) called. */
struct stream *stream_new(const struct stream_calls *calls, void *arg);
/* There is something to read. From any thread, until `close` was called. */
void stream_wake(struct stream *s);
/* It ends with the next read. */
void stream_end(struct stream *s);
/* For the server: as `read`, where 0 means that it sleeps now. */
ssize_t stream_read(struct stream *s, char *p, size_t max);
void stream_free(struct stream *s);

#endif

/* SPDX-License-Identifier: MIT */
/* Inside of the server: connections and exchanges, shared by its files alone. */
#ifndef CONTROLLER_SERVER_OWN_H
#define CONTROLLER_SERVER_OWN_H

#include <microhttpd.h>
#include <stdint.h>

#include "base/buf.h"
#include "controller/certificate.h"
#include "controller/server.h"

/* A connection, for what the library has no limit for: it must not take for ever to ask. */
struct connection {
    struct server *s;
    int fd;
    int64_t deadline; /* clock.h: the request has to be there, whole */
    struct connection *next, *previous;
};

/* One request on its way. */
struct exchange {
    struct server *s;
    struct MHD_Connection *connection;
    struct connection *of;
    char *target;
    const char *raw;    /* the same in the library's buffer */
    const char *method; /* as it came */
    struct request q;
    struct buf body;
    int64_t expected, received; /* length of the body; -1: in chunks */
    bool begun, refused, ready;
    bool broken;           /* not one that can be trusted to end where it says */
    struct exchange *next; /* that waits for a worker */
};

struct server {
    struct controller *c;
    struct MHD_Daemon *daemon;
    struct certificate certificate;
    pthread_mutex_t mutex; /* the lists, the queue */
    pthread_cond_t cond;   /* of the workers */
    struct connection *connections;
    struct stream *streams;
    struct exchange *first, *last; /* that wait for a worker */
    int waiting, worker_count;
    bool stopping;
    pthread_t workers[SERVER_WORKERS], ticker;
    bool ticking;
    int port;
};

/* ---- ticker.c ---- */

/* Runs in a thread until the server stops; `arg` is the server. */
void *server_tick(void *arg);

/* ---- exchange.c: what is right about a request, before it means anything ---- */

/* Looks at the head of a request; a reply that is there then is a refusal. */
void exchange_begin(struct exchange *x);
/* Its body is there: checks it. Whether the route is to be run. */
bool exchange_complete(struct exchange *x);
/* Runs the route. */
void exchange_run(struct exchange *x);
/* Headers of every reply. */
void exchange_finish(struct exchange *x);

#endif

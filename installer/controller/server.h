/* SPDX-License-Identifier: MIT */
/*
 * HTTP over TLS: one thread with an event loop (libmicrohttpd), workers for what has to wait, and
 * the limits and rules that the library leaves to its user. What a request means, routes.def says.
 */
#ifndef CONTROLLER_SERVER_H
#define CONTROLLER_SERVER_H

#include "controller/controller.h"

struct server;

struct server_opts {
    const char *address;              /* to listen on: an address, not a name */
    int port;                         /* 0: any */
    const char *cert_pem, *key_pem;   /* texts; NULL: the files below */
    const char *cert_file, *key_file; /* read again when they change */
};

enum {
    SERVER_CONNECTIONS = 256,
    SERVER_CONNECTIONS_EACH = 64, /* of one address */
    SERVER_FIRST_MS = 10000,      /* until the first request is there, whole */
    SERVER_NEXT_MS = 75000,       /* until the next one is, behind an answer */
    SERVER_BODY_MS = 60000,
    SERVER_WORKERS = 4,
    SERVER_WAITING_MAX = 128, /* requests that no worker has taken yet */
};

/* Listens and answers from threads of its own until server_stop. ERR_SYS, ERR_CONFIG: the address
 * or the certificate cannot be used. */
int server_start(struct server **out, struct controller *c, const struct server_opts *o,
                 struct err *e);
/* The port that it listens on. */
int server_port(const struct server *s);
/* Ends all streams, lets the requests under way end. NULL is fine. */
void server_stop(struct server *s);

#endif

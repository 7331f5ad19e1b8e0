/* SPDX-License-Identifier: MIT */
/* One request as its route sees it, and what is answered. */
#ifndef CONTROLLER_REQUEST_H
#define CONTROLLER_REQUEST_H

#include <stdint.h>

#include "base/strv.h"
#include "conf/node.h"
#include "controller/headers.h"
#include "controller/query.h"
#include "controller/routes.h"
#include "controller/shared_text.h"

/* Who asks. */
struct principal {
    char user[48];         /* "" nobody */
    enum access_role role; /* the lesser of the user's and the token's */
    char token[17];        /* id of the token or session */
    enum access_kind kind;
    int64_t expires; /* wall time, ms */
    char origin[17]; /* id of the API token that this is, or that the session was begun with; what
                        is made here ends with it; "" none */
    int64_t latest;  /* and no later than this, wall time, ms */
};

struct stream;

struct reply {
    int status;       /* 0: that of the route */
    const char *type; /* static; NULL: application/json */
    char *body;       /* owned; NULL: none */
    size_t len;
    struct strv headers;        /* "Name: value" */
    struct stream *stream;      /* instead of a body; NULL: none */
    struct shared_text *shared; /* the same; one of its users is this */
};

struct request {
    const struct route *route; /* NULL: a file of the page */
    struct query query;
    const char *args[ROUTE_ARGS_MAX]; /* the {x} of the path, borrowed from query */
    struct headers headers;           /* borrowed from the connection */
    char address[64];                 /* of who asks, without a port */
    struct principal who;
    struct node *body; /* checked against its schema; NULL: none */
    struct reply reply;
    char detail[256]; /* for the audit: the sentence of what went wrong, the task that began */
};

/* Takes the text; its length is that of the string. */
void reply_text(struct request *q, const char *type, char *text);
/* Answers with a text that others answer with, too, as JSON, or with 304 when the request has it
 * already. The reply becomes its user in the caller's place. */
void reply_shared(struct request *q, struct shared_text *text);
/* Adds a header. */
void reply_header(struct request *q, const char *name, const char *value);
/* An ETag; true: the request has it already, and is answered with 304. */
bool reply_tag(struct request *q, const char *tag);
/* A problem of RFC 9457. `problems` may be NULL. */
void reply_problem(struct request *q, int status, const char *code, const struct strv *problems,
                   const char *detail);
/* What an error is in HTTP. */
void reply_error(struct request *q, const struct err *e, const struct strv *problems);
/* 503 or 429 with Retry-After. */
void reply_later(struct request *q, int status, int64_t wait_ms, const char *detail);
void reply_clear(struct reply *r);

#endif

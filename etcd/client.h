/* SPDX-License-Identifier: MIT */
/*
 * Inside of the client: endpoints with a breaker each, and the one way every call goes:
 * authenticate when needed, post to an endpoint that answers, renew a lost token once, retry what
 * may be repeated.
 */
#ifndef ETCD_CLIENT_H
#define ETCD_CLIENT_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "etcd/etcd.h"
#include "etcd/http.h"
#include "etcd/link.h"
#include "etcd/wire.h"

struct endpoint {
    struct http_target target; /* borrows from the link */
    char *name;                /* "host:port" */
    struct http *http;         /* NULL until first used */
    int64_t down_until;        /* the breaker: asked last until then */
    struct clock_backoff backoff;
};

struct etcd {
    struct link *link; /* a copy */
    struct endpoint *endpoints;
    size_t endpoint_count, current;
    char *token;   /* NULL: none */
    bool auth_off; /* etcd said that authentication is not enabled */
    bool repeated; /* the last call went out again although its first try may have arrived */
    struct etcd_opts opts;
    int64_t deadline;   /* of what is done just now */
    struct until until; /* of whoever has it done */
};

enum call_kind {
    CALL_READ, /* may be sent again */
    CALL_SAFE, /* changes something, and doing it twice is as good as once */
    CALL_ONCE, /* not sent again once it may have arrived */
};

struct call {
    const char *path;
    const struct buf *body;
    enum call_kind kind;
    size_t reply_max;      /* 0: WIRE_REPLY_MAX */
    int64_t timeout_ms;    /* 0: the client's */
    size_t endpoint;       /* with fixed: the only one to ask */
    bool fixed, tokenless; /* tokenless: send no token and look for none */
};

/* ---- client.c ---- */

/* What bounds a call that begins now. */
struct until client_until(const struct etcd *c, int64_t timeout_ms);
/* Which endpoint to ask first now: the current one unless its breaker is open. */
size_t client_pick(const struct etcd *c);
/* What a connection made of an endpoint: the breaker's two transitions. */
void client_mark_up(struct etcd *c, size_t endpoint);
void client_mark_down(struct etcd *c, size_t endpoint);
void token_drop(struct etcd *c); /* wiped */

/* ---- call.c ---- */

/* *out owned. On failure *fault, when not NULL, says what kind it was. */
int client_call(struct wire **out, struct etcd *c, const struct call *q, enum wire_fault *fault,
                struct err *e);
/* The same with nothing wanted from the reply. */
int client_do(struct etcd *c, const struct call *q, struct err *e);
/* Fetches a token when the link has a user and a password and there is none. */
int token_ensure(struct etcd *c, struct err *e);
/* After a TOKEN or AUTH_OFF fault: true when the call is worth another try. */
bool token_mend(struct etcd *c, enum wire_fault fault);

/* ---- kv.c, txn.c ---- */

/* Appends the items of "kvs" in a range reply, and says where the next page begins. */
struct range_reply {
    bool more;
    char *last_key; /* owned, with last_len bytes; NULL when there was no item */
    size_t last_len;
};
int kvs_add_reply(struct etcd_kvs *kvs, struct range_reply *r, const struct wire *reply,
                  struct err *e);

/* How txn_run goes beyond etcd_txn_run. */
struct txn_extra {
    bool repeatable;      /* without a compare too: doing it twice is as good as once */
    const char *else_key; /* read when a compare fails, NULL: none */
    struct etcd_kv found; /* what it held then, zero when nothing; owned by the caller */
    bool failed;          /* a compare failed: so says ERR_CONFLICT too */
    int64_t revision;
};
int txn_run(struct etcd *c, const struct etcd_txn *t, struct txn_extra *x, struct err *e);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Inside of the watch: what one line of the stream means (watch_line.c, fuzzed), apart from keeping
 * a stream open (watch.c). The stream's HTTP status says nothing: refusals come as lines too, after
 * which it stays open for ever, so every refusal ends it from this side.
 */
#ifndef ETCD_WATCH_H
#define ETCD_WATCH_H

#include "etcd/client.h"

struct watch {
    struct etcd *c;
    const struct etcd_watch_opts *o;
    int64_t *next;   /* per prefix: first revision not delivered yet; 0: from now */
    size_t created;  /* prefixes etcd watches by now on this stream */
    int64_t cluster; /* its id, 0 before the first answer */
    enum { WATCH_SAID_NOTHING, WATCH_SAID_UP, WATCH_SAID_DOWN } said; /* to the caller */
    bool renewed; /* a refusal has had a fresh token already */
};

enum watch_step {
    WATCH_STEP_GO_ON,
    WATCH_STEP_REOPEN, /* *e says why */
    WATCH_STEP_RENEW,  /* the same with a new token */
    WATCH_STEP_RELIST, /* revisions are missing: list everything, then go on from there */
    WATCH_STEP_END,    /* a callback has had enough */
    WATCH_STEP_FAIL,   /* *e, for good */
};

/* Takes in one line and delivers its events. */
enum watch_step watch_line(struct watch *w, const char *line, size_t len, struct err *e);
/* The body that asks for every prefix from where it is. */
void watch_put_requests(struct buf *b, const struct watch *w);

#endif

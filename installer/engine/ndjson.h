/* SPDX-License-Identifier: MIT */
/* JSON values one per line, as pull, build and events send them, from pieces of any size. A line of
 * more than 4 MiB, or one that is not JSON, is an error. */
#ifndef ENGINE_NDJSON_H
#define ENGINE_NDJSON_H

#include "base/buf.h"
#include "base/err.h"
#include "conf/node.h"

struct ndjson {
    struct buf line;
    int (*value)(void *arg, const struct node *n, struct err *e); /* -1 ends with that error */
    void *arg;
};

/* `value` is called with each line's value, which lives for the call. Clear it in every case. */
void ndjson_init(struct ndjson *s, int (*value)(void *, const struct node *, struct err *),
                 void *arg);
void ndjson_clear(struct ndjson *s);
/* Calls value() for each whole line, up to one for which it fails. ERR_REMOTE: a line is too
 * long. */
int ndjson_feed(struct ndjson *s, const char *p, size_t len, struct err *e);
/* At the end of the stream: the last line may have no newline. */
int ndjson_end(struct ndjson *s, struct err *e);

#endif

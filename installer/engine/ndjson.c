/* SPDX-License-Identifier: MIT */
#include "engine/ndjson.h"

#include <string.h>

#include "conf/json.h"

enum { LINE_MAX_BYTES = 4 << 20 };

void ndjson_init(struct ndjson *s, int (*value)(void *, const struct node *, struct err *),
                 void *arg)
{
    buf_init(&s->line, LINE_MAX_BYTES);
    s->value = value;
    s->arg = arg;
}

void ndjson_clear(struct ndjson *s)
{
    buf_clear(&s->line);
}

static int one(struct ndjson *s, const char *p, size_t len, struct err *e)
{
    auto_node struct node *n = NULL;

    while (len > 0 && (p[len - 1] == '\r' || p[len - 1] == ' '))
        len--;
    if (len == 0)
        return 0;
    struct err why;
    if (json_parse(&n, "line", p, len, &why) < 0)
        return err_set(e, ERR_REMOTE, "Docker's stream is broken: %s", why.msg);
    return s->value(s->arg, n, e);
}

int ndjson_end(struct ndjson *s, struct err *e)
{
    int r = s->line.full ? err_set(e, ERR_REMOTE, "a line of Docker's stream is larger than %d MiB",
                                   LINE_MAX_BYTES >> 20)
                         : one(s, buf_str(&s->line), s->line.len, e);

    buf_reset(&s->line);
    return r;
}

int ndjson_feed(struct ndjson *s, const char *p, size_t len, struct err *e)
{
    const char *newline;

    while (len > 0 && (newline = memchr(p, '\n', len))) {
        size_t part = (size_t)(newline - p);

        if (s->line.len == 0 && !s->line.full) {
            if (part > LINE_MAX_BYTES)
                return err_set(e, ERR_REMOTE, "a line of Docker's stream is larger than %d MiB",
                               LINE_MAX_BYTES >> 20);
            if (one(s, p, part, e) < 0)
                return -1;
        } else {
            buf_add(&s->line, p, part);
            if (ndjson_end(s, e) < 0)
                return -1;
        }
        p += part + 1;
        len -= part + 1;
    }
    buf_add(&s->line, p, len);
    if (s->line.full)
        return ndjson_end(s, e);
    return 0;
}

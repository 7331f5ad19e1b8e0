/* SPDX-License-Identifier: MIT */
/* The target of a request, and the route it means: what is taken is text without controls, and the
 * same when it is written out again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "controller/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(struct buf *b, const char *text)
{
    for (; *text; text++)
        buf_printf(b, "%%%02x", (unsigned char)*text);
}

static char *format(const struct query *q)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    if (q->part_count == 0)
        buf_putc(&b, '/');
    for (size_t i = 0; i < q->part_count; i++) {
        buf_putc(&b, '/');
        put(&b, q->parts[i]);
    }
    for (size_t i = 0; i < q->param_count; i++) {
        buf_putc(&b, i ? '&' : '?');
        put(&b, q->params[i].name);
        buf_putc(&b, '=');
        put(&b, q->params[i].value);
    }
    return buf_take(&b);
}

static void must(bool good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = mem_strndup((const char *)data, size), *again = NULL;
    struct query q, other;
    struct err e;

    if (query_parse(&q, text, &e) < 0)
        return 0;
    for (size_t i = 0; i < q.part_count; i++)
        must(q.parts[i][0] && !strchr(q.parts[i], '/') && strcmp(q.parts[i], "..") != 0);
    again = format(&q);
    if (strlen(again) <= QUERY_TARGET_MAX) {
        must(query_parse(&other, again, &e) == 0);
        must(other.part_count == q.part_count && other.param_count == q.param_count);
        for (size_t i = 0; i < q.part_count; i++)
            must(strcmp(q.parts[i], other.parts[i]) == 0);
        for (size_t i = 0; i < q.param_count; i++)
            must(strcmp(q.params[i].name, other.params[i].name) == 0 &&
                 strcmp(q.params[i].value, other.params[i].value) == 0);
        query_clear(&other);
    }
    query_clear(&q);
    return 0;
}

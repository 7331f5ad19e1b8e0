/* SPDX-License-Identifier: MIT */
/* The first byte says how the rest is cut into reads: the same values, or the same error, for every
 * cut; and every body is an answer for the error table. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/json.h"
#include "engine/api.h"
#include "engine/ndjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_value(void *arg, const struct node *n, struct err *e)
{
    (void)e;
    json_format(arg, n, 0);
    return 0;
}

static int read_in_pieces(struct buf *seen, const char *p, size_t len, size_t piece)
{
    struct ndjson s;
    struct err e = {0};
    int r = 0;

    buf_init(seen, 64 << 20);
    ndjson_init(&s, on_value, seen);
    for (size_t at = 0; at < len && r == 0; at += piece)
        r = ndjson_feed(&s, p + at, len - at < piece ? len - at : piece, &e);
    if (r == 0)
        r = ndjson_end(&s, &e);
    ndjson_clear(&s);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *p = (const char *)data + 1;
    auto_buf struct buf whole, cut;
    struct err e = {0};
    int first = read_in_pieces(&whole, p, size - 1, size - 1);
    int second = read_in_pieces(&cut, p, size - 1, data[0] % 32 + 1);
    if (first != second || whole.len != cut.len ||
        memcmp(buf_str(&whole), buf_str(&cut), cut.len) != 0)
        abort();
    if (api_error(500, p, size - 1, &e) != -1 || e.msg[0] == '\0')
        abort();
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Any bytes: no crash, no slow input; what is accepted, formatted and
 * read again is the same tree. */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "conf/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_places(const struct node *n)
{
    if (n->line < 1 || n->column < 1 || (n->key && n->key_line < 1))
        abort();
    for (size_t i = 0; i < n->count; i++)
        check_places(n->items[i]);
}

/* What is left of a document with problems has each key once, too. */
static void check_keys(const struct node *n)
{
    if (n->kind == NODE_KIND_MAP && node_duplicate(n))
        abort();
    for (size_t i = 0; i < n->count; i++)
        check_keys(n->items[i]);
}

static void check_reading(const uint8_t *data, size_t size, bool good)
{
    struct problems p;

    problems_init(&p, "f");
    auto_node struct node *n = yaml_read(&p, (const char *)data, size);
    if (good != (n && p.count == 0) || (!n && p.count == 0))
        abort();
    if (n)
        check_keys(n);
    problems_clear(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e;
    auto_node struct node *n = NULL, *again = NULL;
    bool good = yaml_parse(&n, "f", (const char *)data, size, &e) == 0;

    check_reading(data, size, good);
    if (!good)
        return 0;
    check_places(n);
    auto_buf struct buf b;
    buf_init(&b, 8 << 20);
    yaml_format(&b, n);
    if (b.len > 1 << 20)
        return 0;
    if (yaml_parse(&again, "again", buf_str(&b), b.len, &e) < 0 || !node_equal(n, again))
        abort();
    return 0;
}

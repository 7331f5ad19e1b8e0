/* SPDX-License-Identifier: MIT */
/*
 * What etcd's gateway sends, as a reply and as the lines of a watch: no crash, and a watch delivers
 * no revision twice and never goes back except by a new listing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "etcd/watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_event(void *arg, const struct etcd_event *ev, int64_t revision)
{
    const struct watch *w = arg;

    if (!ev->kv.key || !ev->kv.value || ev->kv.value[ev->kv.value_len] != '\0')
        abort();
    if (revision < w->next[0] && revision < w->next[1])
        abort();
    return 0;
}

static void try_reply(const char *text, size_t len)
{
    auto_wire struct wire *root = NULL;
    struct etcd_kvs kvs = {0};
    struct range_reply r = {0};
    struct err e;

    (void)wire_failure(200, text, len, &e);
    (void)wire_failure(400, text, len, &e);
    if (wire_parse(&root, text, len, &e) < 0)
        return;
    (void)kvs_add_reply(&kvs, &r, root, &e);
    (void)wire_uint(root, "ID");
    (void)wire_int(wire_get(root, "header"), "revision");
    free(r.last_key);
    etcd_kvs_clear(&kvs);
}

static void try_watch(const char *text, size_t len)
{
    static const char *const prefixes[] = {"/a/", "/b"};
    int64_t next[2] = {0, 3};
    struct etcd client = {0};
    struct watch w = {.c = &client, .next = next};
    struct etcd_watch_opts o = {
        .prefixes = prefixes, .prefix_count = 2, .event = on_event, .arg = &w};
    size_t from = 0;
    struct err e;

    w.o = &o;
    while (from < len) {
        const char *end = memchr(text + from, '\n', len - from);
        size_t n = end ? (size_t)(end - text) - from : len - from;
        int64_t before[2] = {next[0], next[1]};

        (void)watch_line(&w, text + from, n, &e);
        if (next[0] < before[0] || next[1] < before[1])
            abort();
        from += n + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    /* Exactly as large as it is, so that reading beyond its end is seen. */
    auto_free char *text = mem_dup(data, size);

    try_reply(text, size);
    try_watch(text, size);
    return 0;
}

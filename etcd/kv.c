/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "etcd/client.h"

enum { PAGE_KEYS = 2000, PAGE_SHRINK = 8, RESTARTS = 3 };

void etcd_kvs_clear(struct etcd_kvs *kvs)
{
    for (size_t i = 0; i < kvs->count; i++)
        etcd_kv_clear(&kvs->items[i]);
    free(kvs->items);
    *kvs = (struct etcd_kvs){0};
}

static int compare_kv(const void *a, const void *b)
{
    return strcmp(((const struct etcd_kv *)a)->key, ((const struct etcd_kv *)b)->key);
}

/* The first one that does not sort before `key`. */
static size_t seek(const struct etcd_kvs *kvs, const char *key)
{
    size_t low = 0, high = kvs->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(kvs->items[mid].key, key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const struct etcd_kv *etcd_kvs_find(const struct etcd_kvs *kvs, const char *key)
{
    size_t at = seek(kvs, key);

    return at < kvs->count && strcmp(kvs->items[at].key, key) == 0 ? &kvs->items[at] : NULL;
}

size_t etcd_kvs_below(size_t *count, const struct etcd_kvs *kvs, const char *prefix)
{
    size_t first = seek(kvs, prefix), end = first, len = strlen(prefix);

    while (end < kvs->count && strncmp(kvs->items[end].key, prefix, len) == 0)
        end++;
    *count = end - first;
    return first;
}

/* Several prefixes may overlap: every key once, sorted. */
static void kvs_sort(struct etcd_kvs *kvs)
{
    size_t kept = 0;

    if (kvs->count == 0)
        return;
    qsort(kvs->items, kvs->count, sizeof(*kvs->items), compare_kv);
    for (size_t i = 1; i < kvs->count; i++) {
        if (strcmp(kvs->items[kept].key, kvs->items[i].key) == 0)
            etcd_kv_clear(&kvs->items[i]);
        else
            kvs->items[++kept] = kvs->items[i];
    }
    kvs->count = kept + 1;
}

int kvs_add_reply(struct etcd_kvs *kvs, struct range_reply *r, const struct wire *reply,
                  struct err *e)
{
    const struct wire *list = wire_get(reply, "kvs"), *item;
    size_t count = 0, key_len = 0;

    for (item = wire_first(list); item; item = wire_next(item))
        count++;
    *r = (struct range_reply){.more = wire_bool(reply, "more") && count > 0};
    if (count == 0)
        return 0;
    kvs->items = mem_grow(kvs->items, kvs->count + count, sizeof(*kvs->items));
    for (item = wire_first(list); item; item = wire_next(item)) {
        if (wire_kv(&kvs->items[kvs->count], &key_len, item, e) < 0)
            return -1;
        kvs->count++;
    }
    r->last_key = mem_dup(kvs->items[kvs->count - 1].key, key_len);
    r->last_len = key_len;
    return 0;
}

/* ---- pages ---- */

/* A reading in progress: the next page's borders and the revision that every page is read at. */
struct reading {
    struct etcd *c;
    struct etcd_kvs *kvs; /* its revision is the one of the first page */
    char *key, *end;      /* owned; end NULL: one key */
    size_t key_len, end_len;
    int64_t limit;
    bool more;
    enum wire_fault fault;
};

static void reading_clear(struct reading *r)
{
    free(r->key);
    free(r->end);
}

/* The name means a prefix: empty for every key there is. */
static void reading_set_prefix(struct reading *r, const char *prefix)
{
    size_t len = strlen(prefix);

    r->key = len ? mem_strdup(prefix) : mem_alloc(1);
    r->key_len = len ? len : 1;
    r->end = wire_prefix_end(&r->end_len, prefix, len);
}

static void reading_set_name(struct reading *r, const char *name)
{
    if (wire_is_prefix(name)) {
        reading_set_prefix(r, name);
        return;
    }
    r->key = mem_strdup(name);
    r->key_len = strlen(name);
}

/* The smallest key behind the last one read is that key and a NUL. */
static void reading_go_on(struct reading *r, const struct range_reply *page)
{
    r->more = page->more;
    if (!page->more)
        return;
    free(r->key);
    r->key = mem_alloc(page->last_len + 1);
    memcpy(r->key, page->last_key, page->last_len);
    r->key_len = page->last_len + 1;
}

static void put_range_body(struct buf *b, const struct reading *r)
{
    buf_putc(b, '{');
    wire_put_bytes(b, "key", r->key, r->key_len);
    if (r->end) {
        buf_putc(b, ',');
        wire_put_bytes(b, "range_end", r->end, r->end_len);
    }
    if (r->kvs->revision)
        buf_printf(b, ",\"revision\":\"%lld\"", (long long)r->kvs->revision);
    buf_printf(b, ",\"limit\":\"%lld\"}", (long long)r->limit);
}

static int read_page(struct reading *reading, struct err *e)
{
    auto_buf struct buf body = {.max = WIRE_REQUEST_MAX};
    auto_wire struct wire *reply = NULL;
    struct range_reply page;

    put_range_body(&body, reading);
    struct call q = {.path = "/v3/kv/range", .body = &body, .kind = CALL_READ};
    if (client_call(&reply, reading->c, &q, &reading->fault, e) < 0)
        return -1;
    if (reading->kvs->revision == 0)
        reading->kvs->revision = wire_int(wire_get(reply, "header"), "revision");
    int r = kvs_add_reply(reading->kvs, &page, reply, e);
    if (r == 0)
        reading_go_on(reading, &page);
    free(page.last_key);
    return r;
}

/* Reads the rest, with smaller pages when the values are large. */
static int read_pages(struct reading *r, struct err *e)
{
    r->limit = PAGE_KEYS;
    do {
        while (read_page(r, e) < 0) {
            if (r->fault != WIRE_FAULT_TOO_BIG || r->limit == 1)
                return -1;
            r->limit = r->limit > PAGE_SHRINK ? r->limit / PAGE_SHRINK : 1;
        }
    } while (r->more);
    return 0;
}

int etcd_get(struct etcd_kv *out, struct etcd *c, const char *key, struct err *e)
{
    struct etcd_kvs kvs = {0};
    struct reading reading = {.c = c, .kvs = &kvs, .limit = 1};

    *out = (struct etcd_kv){0};
    reading.key = mem_strdup(key);
    reading.key_len = strlen(key);
    int r = read_page(&reading, e);
    reading_clear(&reading);
    if (r < 0)
        err_wrap(e, "get %s", key);
    else if (kvs.count == 0)
        r = err_set(e, ERR_NOTFOUND, "get %s: there is no such key", key);
    else
        *out = kvs.items[--kvs.count];
    etcd_kvs_clear(&kvs);
    return r;
}

int etcd_range(struct etcd_kvs *out, struct etcd *c, const char *prefix, struct err *e)
{
    struct reading reading;
    int r;

    for (int restart = 0;; restart++) {
        *out = (struct etcd_kvs){0};
        reading = (struct reading){.c = c, .kvs = out};
        reading_set_prefix(&reading, prefix);
        r = read_pages(&reading, e);
        reading_clear(&reading);
        if (r == 0)
            return 0;
        etcd_kvs_clear(out);
        /* The revision of the first page may be compacted away before the last one. */
        if (reading.fault != WIRE_FAULT_COMPACTED || restart == RESTARTS)
            return err_wrap(e, "list %s", *prefix ? prefix : "everything");
    }
}

/* ---- several ranges in one transaction ---- */

static void put_ranges(struct buf *b, const char *const *names, size_t count, int64_t revision)
{
    buf_puts(b, "{\"success\":[");
    for (size_t i = 0; i < count; i++) {
        buf_puts(b, i ? ",{\"request_range\":{" : "{\"request_range\":{");
        wire_put_range(b, names[i]);
        if (revision)
            buf_printf(b, ",\"revision\":\"%lld\"", (long long)revision);
        buf_printf(b, ",\"limit\":\"%d\"}}", PAGE_KEYS);
    }
    buf_puts(b, "]}");
}

static int read_rest(struct reading *reading, const char *name, const struct range_reply *first,
                     struct err *e)
{
    reading_set_name(reading, name);
    reading_go_on(reading, first);
    int r = reading->more ? read_pages(reading, e) : 0;
    reading_clear(reading);
    reading->key = reading->end = NULL;
    return r;
}

/* At most ETCD_TXN_MAX names in one transaction. */
static int read_ranges(struct reading *reading, const char *const *names, size_t count,
                       struct err *e)
{
    auto_buf struct buf body = {.max = WIRE_REQUEST_MAX};
    auto_wire struct wire *reply = NULL;
    const struct wire *response;
    struct range_reply page;
    size_t i = 0;

    put_ranges(&body, names, count, reading->kvs->revision);
    struct call q = {.path = "/v3/kv/txn", .body = &body, .kind = CALL_READ};
    if (client_call(&reply, reading->c, &q, &reading->fault, e) < 0)
        return -1;
    if (reading->kvs->revision == 0)
        reading->kvs->revision = wire_int(wire_get(reply, "header"), "revision");
    response = wire_first(wire_get(reply, "responses"));
    for (; response && i < count; response = wire_next(response), i++) {
        int r = kvs_add_reply(reading->kvs, &page, wire_get(response, "response_range"), e);

        if (r == 0 && page.more)
            r = read_rest(reading, names[i], &page, e);
        free(page.last_key);
        if (r < 0)
            return -1;
    }
    if (i < count)
        return err_set(e, ERR_REMOTE, "etcd's reply has %zu ranges of %zu", i, count);
    return 0;
}

/* The values are too large for one reply: one name after the other, still at one revision. */
static int read_one_by_one(struct reading *reading, const char *const *names, size_t count,
                           struct err *e)
{
    for (size_t i = 0; i < count; i++) {
        reading_set_name(reading, names[i]);
        int r = read_pages(reading, e);
        reading_clear(reading);
        reading->key = reading->end = NULL;
        if (r < 0)
            return err_wrap(e, "%s", names[i]);
    }
    return 0;
}

static int read_many(struct reading *r, const char *const *names, size_t count, struct err *e)
{
    for (size_t at = 0; at < count; at += ETCD_TXN_MAX) {
        size_t n = count - at < ETCD_TXN_MAX ? count - at : ETCD_TXN_MAX;
        size_t had = r->kvs->count;

        if (read_ranges(r, names + at, n, e) == 0)
            continue;
        if (r->fault != WIRE_FAULT_TOO_BIG)
            return -1;
        while (r->kvs->count > had)
            etcd_kv_clear(&r->kvs->items[--r->kvs->count]);
        if (read_one_by_one(r, names + at, n, e) < 0)
            return -1;
    }
    return 0;
}

int etcd_range_many(struct etcd_kvs *out, struct etcd *c, const char *const *names, size_t count,
                    struct err *e)
{
    for (int restart = 0;; restart++) {
        struct reading r = {.c = c, .kvs = out};

        *out = (struct etcd_kvs){0};
        if (read_many(&r, names, count, e) == 0) {
            kvs_sort(out);
            return 0;
        }
        etcd_kvs_clear(out);
        if (r.fault != WIRE_FAULT_COMPACTED || restart == RESTARTS)
            return err_wrap(e, "list %s%s", count ? names[0] : "", count > 1 ? " and others" : "");
    }
}

/* ---- writing ---- */

int etcd_put(struct etcd *c, const char *key, const char *value, int64_t lease, struct err *e)
{
    auto_buf struct buf body = {.max = WIRE_REQUEST_MAX};

    buf_putc(&body, '{');
    wire_put_bytes(&body, "key", key, strlen(key));
    buf_putc(&body, ',');
    wire_put_bytes(&body, "value", value, strlen(value));
    if (lease)
        buf_printf(&body, ",\"lease\":\"%lld\"", (long long)lease);
    buf_putc(&body, '}');
    struct call q = {.path = "/v3/kv/put", .body = &body, .kind = CALL_ONCE};
    return client_do(c, &q, e) < 0 ? err_wrap(e, "put %s", key) : 0;
}

int etcd_delete(struct etcd *c, const char *key, int64_t *deleted, struct err *e)
{
    auto_buf struct buf body = {.max = WIRE_REQUEST_MAX};
    auto_wire struct wire *reply = NULL;

    if (deleted)
        *deleted = 0;
    buf_putc(&body, '{');
    wire_put_range(&body, key);
    buf_putc(&body, '}');
    struct call q = {.path = "/v3/kv/deleterange", .body = &body, .kind = CALL_ONCE};
    if (client_call(&reply, c, &q, NULL, e) < 0)
        return err_wrap(e, "delete %s", key);
    if (deleted)
        *deleted = wire_int(reply, "deleted");
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "etcd/client.h"

/* Both lists are JSON text already: nothing of the arguments has to be kept. */
struct etcd_txn {
    struct buf compares, ops;
    size_t compare_count, op_count;
};

struct etcd_txn *etcd_txn_new(void)
{
    struct etcd_txn *t = mem_alloc(sizeof(*t));

    buf_init(&t->compares, WIRE_REQUEST_MAX);
    buf_init(&t->ops, WIRE_REQUEST_MAX);
    return t;
}

void etcd_txn_free(struct etcd_txn *t)
{
    if (!t)
        return;
    buf_clear(&t->compares);
    buf_clear(&t->ops);
    free(t);
}

size_t etcd_txn_count(const struct etcd_txn *t)
{
    return t->op_count;
}

static void add_compare(struct etcd_txn *t, const char *key, const char *target)
{
    buf_printf(&t->compares, "%s{\"result\":\"EQUAL\",\"target\":\"%s\",",
               t->compare_count++ ? "," : "", target);
    wire_put_bytes(&t->compares, "key", key, strlen(key));
}

void etcd_txn_if(struct etcd_txn *t, const char *key, enum etcd_cmp cmp, int64_t number)
{
    static const struct {
        const char *target, *name;
    } numbers[] = {
        [ETCD_CMP_CREATE_EQ] = {"CREATE", "create_revision"},
        [ETCD_CMP_MOD_EQ] = {"MOD", "mod_revision"},
        [ETCD_CMP_VERSION_EQ] = {"VERSION", "version"},
    };

    add_compare(t, key, numbers[cmp].target);
    buf_printf(&t->compares, ",\"%s\":\"%lld\"}", numbers[cmp].name, (long long)number);
}

void etcd_txn_put(struct etcd_txn *t, const char *key, const char *value, int64_t lease)
{
    buf_puts(&t->ops, t->op_count++ ? ",{\"request_put\":{" : "{\"request_put\":{");
    wire_put_bytes(&t->ops, "key", key, strlen(key));
    buf_putc(&t->ops, ',');
    wire_put_bytes(&t->ops, "value", value, strlen(value));
    if (lease)
        buf_printf(&t->ops, ",\"lease\":\"%lld\"", (long long)lease);
    buf_puts(&t->ops, "}}");
}

void etcd_txn_delete(struct etcd_txn *t, const char *key)
{
    buf_puts(&t->ops,
             t->op_count++ ? ",{\"request_delete_range\":{" : "{\"request_delete_range\":{");
    wire_put_range(&t->ops, key);
    buf_puts(&t->ops, "}}");
}

static void put_body(struct buf *b, const struct etcd_txn *t, const char *else_key)
{
    buf_puts(b, "{\"compare\":[");
    buf_add(b, buf_str(&t->compares), t->compares.len);
    buf_puts(b, "],\"success\":[");
    buf_add(b, buf_str(&t->ops), t->ops.len);
    buf_puts(b, "]");
    if (else_key) {
        buf_puts(b, ",\"failure\":[{\"request_range\":{");
        wire_put_bytes(b, "key", else_key, strlen(else_key));
        buf_puts(b, "}}]");
    }
    buf_putc(b, '}');
}

/* What the else_key held, from the reply of a transaction whose compare failed. */
static int read_found(struct txn_extra *x, const struct wire *reply, struct err *e)
{
    const struct wire *response = wire_first(wire_get(reply, "responses"));
    const struct wire *kv = wire_first(wire_get(wire_get(response, "response_range"), "kvs"));

    return kv ? wire_kv(&x->found, NULL, kv, e) : 0;
}

int txn_run(struct etcd *c, const struct etcd_txn *t, struct txn_extra *x, struct err *e)
{
    auto_buf struct buf body = {.max = WIRE_REQUEST_MAX};
    auto_wire struct wire *reply = NULL;
    bool safe = t->compare_count > 0 || x->repeatable;

    if (t->op_count > ETCD_TXN_MAX || t->compare_count > ETCD_TXN_MAX)
        return err_set(e, ERR_USAGE,
                       "a transaction of %zu operations and %zu compares; etcd takes at most %d",
                       t->op_count, t->compare_count, ETCD_TXN_MAX);
    put_body(&body, t, x->else_key);
    body.full = body.full || t->ops.full || t->compares.full;
    struct call q = {.path = "/v3/kv/txn", .body = &body, .kind = safe ? CALL_SAFE : CALL_ONCE};
    if (client_call(&reply, c, &q, NULL, e) < 0)
        return -1;
    x->revision = wire_int(wire_get(reply, "header"), "revision");
    if (wire_bool(reply, "succeeded"))
        return 0;
    x->failed = true;
    if (x->else_key && read_found(x, reply, e) < 0)
        return -1;
    return err_set(e, ERR_CONFLICT, "what the transaction expects is not so%s",
                   c->repeated ? "; an earlier try, whose answer was lost, may have done it" : "");
}

int etcd_txn_run(struct etcd *c, const struct etcd_txn *t, int64_t *revision, struct err *e)
{
    struct txn_extra x = {0};

    if (revision)
        *revision = 0;
    if (txn_run(c, t, &x, e) < 0)
        return -1;
    if (revision)
        *revision = x.revision;
    return 0;
}

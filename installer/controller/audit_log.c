/* SPDX-License-Identifier: MIT */
#include "controller/audit_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/json.h"
#include "controller/form.h"
#include "model/keys.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static char *entry_of(const struct controller *c, const struct request *q)
{
    auto_node struct node *n = node_new_map();
    auto_free char *what = route_operation(q->route), *text = NULL;

    node_set_text(n, "who", q->who.user[0] ? q->who.user : "?");
    node_set_text(n, "what", what);
    if (q->args[0])
        node_set_text(n, "target", q->args[0]);
    node_set_text(n, "address", q->address);
    node_set_int(n, "status", q->reply.status);
    if (q->detail[0])
        node_set_text(n, "detail", q->detail);
    if (q->body && q->body->count && q->route->body)
        node_set(n, "arguments", form_redact(c->schemas, q->route->body, q->body));
    text = json_text(n);
    if (strlen(text) > AUDIT_LOG_ENTRY_MAX) {
        node_set_text(n, "arguments", "[too long]");
        return json_text(n);
    }
    return steal(text);
}

void audit_log_add(struct controller *c, const struct request *q)
{
    auto_free char *key = NULL, *text = entry_of(c, q);
    struct etcd_txn *t;
    struct env *env;
    struct err e;
    char now[32];
    int r = -1;

    log_info("%s", text);
    env = store_begin(&c->store, &e);
    for (int64_t later = 0; env && r < 0 && later < 20; later++) {
        clock_format(now, clock_wall_ms() + later);
        free(key);
        key = keys_controller_audit(env->name, now);
        t = etcd_txn_new();
        etcd_txn_if(t, key, ETCD_CMP_VERSION_EQ, 0); /* of two in the same moment, both stay */
        etcd_txn_put(t, key, text, 0);
        r = etcd_txn_run(env->etcd, t, NULL, &e);
        etcd_txn_free(t);
        if (r < 0 && e.code != ERR_CONFLICT)
            break;
    }
    if (env)
        store_end(&c->store, r < 0 ? &e : NULL);
    if (r < 0)
        log_warn("the audit could not be written: %s", e.msg);
}

static int read_all(struct etcd_kvs *out, struct controller *c, struct err *e)
{
    struct env *env = store_begin(&c->store, e);
    int r;

    if (!env)
        return -1;
    auto_free char *prefix = keys_controller_audit(env->name, "");

    r = etcd_range(out, env->etcd, prefix, e);
    store_end(&c->store, r < 0 ? e : NULL);
    return r;
}

int audit_log_rows(struct node **out, struct controller *c, struct err *e)
{
    struct etcd_kvs kvs = {0};

    if (read_all(&kvs, c, e) < 0)
        return -1;
    *out = node_new_list();
    for (size_t i = kvs.count; i > 0; i--) {
        const struct etcd_kv *kv = &kvs.items[i - 1];
        struct node *n = NULL;
        struct keys_path k;
        struct err bad;

        if (json_parse(&n, "audit", kv->value, kv->value_len, &bad) < 0 ||
            n->kind != NODE_KIND_MAP || !keys_parse(&k, kv->key)) {
            node_free(n);
            continue;
        }
        node_set_text(n, "time", k.name);
        node_add(*out, n);
    }
    etcd_kvs_clear(&kvs);
    return 0;
}

void audit_log_sweep(struct controller *c)
{
    struct etcd_kvs kvs = {0};
    char oldest[32];
    struct err e;
    size_t surplus;

    if (read_all(&kvs, c, &e) < 0) {
        err_drop(&e, "the audit");
        return;
    }
    clock_format(oldest, clock_wall_ms() - (int64_t)AUDIT_LOG_DAYS * DAY_MS);
    surplus = kvs.count > AUDIT_LOG_MAX ? kvs.count - AUDIT_LOG_MAX : 0;
    for (size_t i = 0; i < kvs.count; i++) {
        struct keys_path k;
        struct env *env;
        int r;

        if (!keys_parse(&k, kvs.items[i].key) || (i >= surplus && strcmp(k.name, oldest) >= 0))
            break;
        env = store_begin(&c->store, &e);
        if (!env)
            break;
        r = etcd_delete(env->etcd, kvs.items[i].key, NULL, &e);
        store_end(&c->store, r < 0 ? &e : NULL);
        if (r < 0)
            break;
    }
    etcd_kvs_clear(&kvs);
}

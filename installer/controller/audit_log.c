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

enum { DAY_MS = 24 * 3600 * 1000, MINUTE_MS = 60 * 1000, TRIES = 20 };

static void set_target(struct node *n, const struct request *q)
{
    auto_free char *both = q->args[1] ? mem_printf("%s/%s", q->args[0], q->args[1]) : NULL;

    node_set_text(n, "target", both ? both : q->args[0]);
}

static void set_query(struct node *n, const struct request *q)
{
    struct node *map = node_set(n, "query", node_new_map());

    for (size_t i = 0; i < q->query.param_count; i++)
        node_set_text(map, q->query.params[i].name, q->query.params[i].value);
}

/* `count`: of wrong logins that this entry stands for, 0: it is one of its own. */
static char *entry_of(const struct controller *c, const struct request *q, int64_t count)
{
    auto_node struct node *n = node_new_map();
    auto_free char *what = route_operation(q->route), *text = NULL;

    node_set_text(n, "who", q->who.user[0] ? q->who.user : "?");
    node_set_text(n, "what", what);
    if (q->args[0])
        set_target(n, q);
    if (q->query.param_count)
        set_query(n, q);
    node_set_text(n, "address", q->address);
    node_set_int(n, "status", q->reply.status);
    if (count)
        node_set_int(n, "count", count);
    if (q->detail[0])
        node_set_text(n, "detail", q->detail);
    if (q->body && q->body->count && q->route->body)
        node_set(n, "arguments", form_redact(c->schemas, q->route->body, q->body));
    text = json_text(n);
    if (strlen(text) > AUDIT_LOG_ENTRY_MAX) {
        node_set_text(n, "arguments", "[too long]");
        node_remove(n, "query");
        return json_text(n);
    }
    return steal(text);
}

static int put(const struct env *env, const char *key, int64_t revision, const char *text,
               struct err *e)
{
    struct etcd_txn *t = etcd_txn_new();
    int r;

    etcd_txn_if(t, key, ETCD_CMP_MOD_EQ, revision);
    etcd_txn_put(t, key, text, 0);
    r = etcd_txn_run(env->etcd, t, NULL, e);
    etcd_txn_free(t);
    return r;
}

/* Of two in the same moment, both stay. */
static int add_one(const struct env *env, const char *text, struct err *e)
{
    int r = -1;

    for (int64_t later = 0; r < 0 && later < TRIES; later++) {
        auto_free char *key = NULL;
        char now[32];

        clock_format(now, clock_wall_ms() + later);
        key = keys_controller_audit(env->name, now);
        r = put(env, key, 0, text, e);
        if (r < 0 && e->code != ERR_CONFLICT)
            break;
    }
    return r;
}

/* How many wrong logins the entry of that key stands for. */
static int read_count(int64_t *count, int64_t *revision, const struct env *env, const char *key,
                      struct err *e)
{
    auto_node struct node *n = NULL;
    struct etcd_kv kv = {0};
    struct err bad;

    *count = *revision = 0;
    if (etcd_get(&kv, env->etcd, key, e) < 0)
        return e->code == ERR_NOTFOUND ? 0 : -1;
    if (json_parse(&n, "audit", kv.value, kv.value_len, &bad) == 0)
        *count = node_get_int(n, "count", 0);
    else
        err_drop(&bad, "an entry of the audit");
    *revision = kv.mod_revision;
    etcd_kv_clear(&kv);
    return 0;
}

/* Wrong logins of one address within a minute are one entry, so that who guesses does not push out
 * what others did. */
static int add_wrong_login(const struct controller *c, const struct env *env,
                           const struct request *q, struct err *e)
{
    auto_free char *name = NULL, *key = NULL;
    char minute[32];
    int r = -1;

    clock_format(minute, clock_wall_ms() / MINUTE_MS * MINUTE_MS);
    name = mem_printf("%s@%s", minute, q->address);
    key = keys_controller_audit(env->name, name);
    for (int i = 0; r < 0 && i < TRIES; i++) {
        auto_free char *text = NULL;
        int64_t count, revision;

        if (read_count(&count, &revision, env, key, e) < 0)
            return -1;
        text = entry_of(c, q, count + 1);
        r = put(env, key, revision, text, e);
        if (r < 0 && e->code != ERR_CONFLICT)
            break;
    }
    return r;
}

void audit_log_add(struct controller *c, const struct request *q)
{
    auto_free char *text = entry_of(c, q, 0);
    bool login = strcmp(q->route->id, "login") == 0;
    struct env *env;
    struct err e;
    int r = -1;

    log_info("%s", text);
    /* Nothing was tried: everybody can ask so as often as they like. */
    if (login && (q->reply.status == 400 || q->reply.status == 429 || q->reply.status == 503))
        return;
    env = store_begin(&c->store, &e);
    if (env)
        r = login && q->reply.status == 401 ? add_wrong_login(c, env, q, &e)
                                            : add_one(env, text, &e);
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
            n->kind != NODE_KIND_MAP || !keys_parse(&k, kv->key) || !k.name) {
            node_free(n);
            continue;
        }
        auto_free char *time = mem_strndup(k.name, strcspn(k.name, "@"));

        node_set_text(n, "time", time);
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

        if (!keys_parse(&k, kvs.items[i].key) || !k.name ||
            (i >= surplus && strcmp(k.name, oldest) >= 0))
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

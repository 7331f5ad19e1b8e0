/* SPDX-License-Identifier: MIT */
#include "env/history.h"

#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"
#include "plan/audit.h"

static void add_change(struct node *list, const struct node *entry, const struct node *change,
                       const char *time)
{
    static const char *const copied[] = {"name", "old", "new", "instance"};
    struct node *n = node_add(list, node_new_map());
    const struct node *detail = node_get(entry, "detail");
    const char *target = node_get_text(detail, "target"), *reason = node_get_text(detail, "reason");

    node_set_text(n, "time", time);
    node_set_text(n, "who", node_get_text(entry, "who") ? node_get_text(entry, "who") : "?");
    node_set_text(n, "what", node_get_text(entry, "what") ? node_get_text(entry, "what") : "?");
    if (target)
        node_set_text(n, "target", target);
    if (reason)
        node_set_text(n, "reason", reason);
    for (size_t i = 0; i < ARRAY_LEN(copied); i++)
        if (node_get_text(change, copied[i]))
            node_set_text(n, copied[i], node_get_text(change, copied[i]));
}

static void add_entry(struct node *list, const struct node *entry, const char *time,
                      const char *target, const char *key)
{
    const struct node *detail = node_get(entry, "detail"), *changes = node_get(detail, "changes");
    const struct node *c;

    if (target && !audit_is_about(entry, target))
        return;
    if (!changes && !key)
        add_change(list, entry, NULL, time);
    node_for_each (c, changes) {
        const char *name = node_get_text(c, "name");

        if (!key || (name && strcmp(name, key) == 0))
            add_change(list, entry, c, time);
    }
}

int env_history(struct node **out, const struct env *env, const char *target, const char *key,
                struct err *e)
{
    auto_free char *prefix = keys_audit(env->name, "");
    struct etcd_kvs kvs = {0};

    if (etcd_range(&kvs, env->etcd, prefix, e) < 0)
        return -1;
    *out = node_new_list();
    for (size_t i = 0; i < kvs.count; i++) {
        const struct etcd_kv *kv = &kvs.items[i];
        auto_node struct node *entry = NULL;
        struct err bad;

        if (json_parse(&entry, kv->key, kv->value, kv->value_len, &bad) < 0)
            err_drop(&bad, "an entry of the audit trail");
        else
            add_entry(*out, entry, kv->key + strlen(prefix), target, key);
    }
    etcd_kvs_clear(&kvs);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "env/lock.h"

#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"
#include "plan/audit.h"

static int read_lock(struct node **holder, struct etcd_kv *kv, const struct env *env, struct err *e)
{
    auto_free char *key = keys_lock(env->name);

    *holder = NULL;
    if (etcd_get(kv, env->etcd, key, e) < 0)
        return e->code == ERR_NOTFOUND ? 0 : -1;
    return json_parse(holder, key, kv->value, kv->value_len, e);
}

int env_lock_holder(struct node **holder, const struct env *env, struct err *e)
{
    struct etcd_kv kv = {0};
    int r = read_lock(holder, &kv, env, e);

    etcd_kv_clear(&kv);
    return r;
}

static int remove_lock(struct env *env, const struct etcd_kv *kv, const struct node *detail,
                       struct err *e)
{
    struct etcd_txn *t = etcd_txn_new();
    int r;

    etcd_txn_if(t, kv->key, ETCD_CMP_CREATE_EQ, kv->create_revision);
    etcd_txn_delete(t, kv->key);
    audit_add(t, env->name, env->user, "lock break", detail);
    r = etcd_txn_run(env->etcd, t, NULL, e);
    env->changed = env->changed || r == 0;
    etcd_txn_free(t);
    /* The holder's keep-alive ends with its lease; without the key its
     * writes are refused anyway. */
    if (r == 0 && kv->lease && etcd_lease_revoke(env->etcd, kv->lease, e) < 0)
        err_drop(e, "revoking the lease of the lock");
    return r;
}

int env_lock_break(struct node **holder, struct env *env, const char *reason, struct err *e)
{
    auto_node struct node *detail = node_new_map();
    struct etcd_kv kv = {0};
    int r = read_lock(holder, &kv, env, e);

    if (r == 0 && *holder) {
        node_set_text(detail, "reason", reason);
        node_set(detail, "holder", node_copy(*holder));
        r = remove_lock(env, &kv, detail, e);
        if (r < 0)
            err_wrap(e, "breaking the lock");
    }
    etcd_kv_clear(&kv);
    return r;
}

/* SPDX-License-Identifier: MIT */
/*
 * A lock is a key with a lease, created only when it is not there. That its holder still has it is
 * never sure (https://jepsen.io/analyses/etcd-3.4.3), so every guarded write compares the key's
 * create revision: what comes too late is refused by etcd itself.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "etcd/client.h"

enum { HOLDER_MAX = 300 };

static int refuse(const char *key, const struct etcd_kv *holder, const struct etcd_fence *fence,
                  struct err *e)
{
    if (!holder->key && fence->key)
        return err_set(e, ERR_CONFLICT, "lock %s: its taker does not have %s any more", key,
                       fence->key);
    if (!holder->key)
        return err_set(e, ERR_LOCKED, "lock %s: it was held a moment ago", key);
    return err_set(e, ERR_LOCKED, "lock %s: held by %.*s", key, HOLDER_MAX, holder->value);
}

/* The transaction: put unless there; else whose is it. */
static int take(struct etcd_lock *l, struct etcd *c, const char *owner,
                const struct etcd_fence *fence, struct err *e)
{
    struct etcd_txn *t = etcd_txn_new();
    struct txn_extra x = {.else_key = l->key};
    int r;

    etcd_txn_if(t, l->key, ETCD_CMP_CREATE_EQ, 0);
    if (fence->key)
        etcd_txn_if(t, fence->key, ETCD_CMP_CREATE_EQ, fence->create_revision);
    etcd_txn_put(t, l->key, owner, l->lease);
    r = txn_run(c, t, &x, e);
    etcd_txn_free(t);
    if (r == 0) {
        l->create_revision = x.revision;
    } else if (x.failed && x.found.lease == l->lease) {
        /* The first try had arrived and only its answer was lost. */
        l->create_revision = x.found.create_revision;
        r = 0;
    } else if (x.failed) {
        r = refuse(l->key, &x.found, fence, e);
    } else {
        err_wrap(e, "lock %s", l->key);
    }
    etcd_kv_clear(&x.found);
    return r;
}

int etcd_lock_take(struct etcd_lock *out, struct etcd *c, const char *key, const char *owner,
                   int64_t ttl_s, struct err *e)
{
    const struct etcd_lock_want want = {.key = key, .owner = owner, .ttl_s = ttl_s};

    return etcd_lock_take_behind(out, c, &want, e);
}

int etcd_lock_take_behind(struct etcd_lock *out, struct etcd *c, const struct etcd_lock_want *w,
                          struct err *e)
{
    struct err why;

    *out = (struct etcd_lock){0};
    if (etcd_lease_grant(c, w->ttl_s, &out->lease, e) < 0)
        return err_wrap(e, "lock %s", w->key);
    out->key = mem_strdup(w->key);
    if (take(out, c, w->owner, &w->fence, e) == 0)
        return 0;
    if (etcd_lease_revoke(c, out->lease, &why) < 0)
        err_drop(&why, "giving up the lease of a lock that was not taken");
    free(out->key);
    *out = (struct etcd_lock){0};
    return -1;
}

int etcd_lock_release(struct etcd *c, struct etcd_lock *l, struct err *e)
{
    int64_t lease = l->lease;
    int r = 0;

    /* Without its lease the key goes; when the lease has run out, it is gone already. */
    if (lease && etcd_lease_revoke(c, lease, e) < 0 && e->code != ERR_NOTFOUND)
        r = err_wrap(e, "releasing lock %s", l->key);
    free(l->key);
    *l = (struct etcd_lock){0};
    return r;
}

/* SPDX-License-Identifier: MIT */
#include "agent/restart_slot.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"

enum {
    TTL_S = 15,
    KEEP_MS = 5000,
    AGAIN_MS = 300,
    TURN_MS = 50,
    CALL_MS = 2000, /* who waits here cannot look after the daemon meanwhile */
};

static char *owner_text(const struct slot_owner *who)
{
    auto_node struct node *n = node_new_map();

    node_set_text(n, "instance", who->instance);
    node_set_int(n, "at", clock_wall_ms());
    return json_text(n);
}

bool restart_slot_is_taken(const struct restart_slot *t)
{
    return t->lock.key != NULL;
}

int restart_slot_take(struct restart_slot *t, const struct slot_owner *who, struct err *e)
{
    auto_free char *key = keys_component_once_lock(who->env, who->component);
    auto_free char *owner = owner_text(who);

    if (!t->client && etcd_open(&t->client, who->link, NULL, e) < 0)
        return -1;
    etcd_set_deadline(t->client, clock_deadline(CALL_MS));
    if (etcd_lock_take(&t->lock, t->client, key, owner, TTL_S, e) < 0) {
        t->lock = (struct etcd_lock){0};
        return -1;
    }
    t->keep_at = clock_deadline(KEEP_MS);
    return 0;
}

void restart_slot_keep(struct restart_slot *t)
{
    struct err e;

    if (!restart_slot_is_taken(t) || !clock_passed(t->keep_at))
        return;
    t->keep_at = clock_deadline(KEEP_MS);
    etcd_set_deadline(t->client, clock_deadline(CALL_MS));
    if (etcd_lease_keepalive(t->client, t->lock.lease, &e) == 0)
        return;
    t->lost = t->lost || e.code == ERR_NOTFOUND;
    err_drop(&e, "keeping the component's lock");
}

void restart_slot_release(struct restart_slot *t)
{
    struct err e;

    if (t->client)
        etcd_set_deadline(t->client, clock_deadline(CALL_MS));
    if (restart_slot_is_taken(t) && etcd_lock_release(t->client, &t->lock, &e) < 0)
        err_drop(&e, "releasing the component's lock");
    etcd_close(t->client);
    *t = (struct restart_slot){0};
}

/* ---- once ---- */

struct once {
    struct restart_slot slot;
    const struct slot_owner *who;
    const struct hook_call *hook;
    bool known;
    char *key;
};

static bool idle(void *arg)
{
    struct once *o = arg;

    restart_slot_keep(&o->slot);
    return o->slot.lost || (o->hook->idle && o->hook->idle(o->hook->arg));
}

static int is_done(struct once *o, bool *done, struct err *e)
{
    struct etcd_kv kv = {0};

    *done = false;
    if (!o->slot.client && etcd_open(&o->slot.client, o->who->link, NULL, e) < 0)
        return -1;
    etcd_set_deadline(o->slot.client, CLOCK_NEVER);
    if (etcd_get(&kv, o->slot.client, o->key, e) < 0)
        return e->code == ERR_NOTFOUND ? 0 : -1;
    *done = true;
    etcd_kv_clear(&kv);
    return 0;
}

/* As long as the lock is ours: what comes too late is refused by etcd itself. */
static int remember(struct once *o, struct err *e)
{
    auto_free char *text = owner_text(o->who);
    struct etcd_txn *t = etcd_txn_new();

    etcd_txn_if(t, o->slot.lock.key, ETCD_CMP_CREATE_EQ, o->slot.lock.create_revision);
    etcd_txn_put(t, o->key, text, 0);
    etcd_set_deadline(o->slot.client, CLOCK_NEVER);
    int r = etcd_txn_run(o->slot.client, t, NULL, e);
    etcd_txn_free(t);
    return r;
}

static int run_and_remember(struct once *o, struct err *e)
{
    struct hook_call call = *o->hook;
    int r = 0;

    call.idle = idle;
    call.arg = o;
    if (!o->known)
        r = hook_must(&call, e);
    if (r == 0)
        r = remember(o, e);
    if (r < 0 && (o->slot.lost || e->code == ERR_CONFLICT))
        return err_set(
            e, ERR_NET,
            "hook once: etcd was unreachable for so long that its lock was lost; it is tried "
            "again");
    return r;
}

/* 1 when it is done, 0 when it is to be tried again, -1. */
static int try_once(struct once *o, struct err *e)
{
    bool done;

    if (is_done(o, &done, e) < 0)
        return -1;
    if (done)
        return 1;
    if (restart_slot_take(&o->slot, o->who, e) < 0)
        return e->code == ERR_LOCKED ? 0 : -1;
    /* Somebody may have finished between the look and the lock. */
    if (is_done(o, &done, e) < 0)
        return -1;
    if (!done && run_and_remember(o, e) < 0)
        return -1;
    return 1;
}

int once_run(const struct slot_owner *who, const struct hook_call *hook, bool known, struct err *e)
{
    struct once o = {.who = who,
                     .hook = hook,
                     .known = known,
                     .key = keys_component_once(who->env, who->component)};
    int r = 0;

    while (r == 0) {
        r = try_once(&o, e);
        if (r == 0 && clock_passed(hook->deadline))
            r = err_set(e, ERR_TIMEOUT, "hook once: another instance holds the lock");
        int64_t until = clock_deadline(AGAIN_MS);
        while (r == 0 && !clock_passed(until)) {
            clock_sleep_ms(TURN_MS);
            if (idle(&o))
                r = err_set(e, ERR_INTERRUPTED, "hook once was interrupted");
        }
    }
    restart_slot_release(&o.slot);
    mem_cleanup_free(&o.key);
    return r < 0 ? -1 : 0;
}

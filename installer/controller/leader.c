/* SPDX-License-Identifier: MIT */
#include "controller/leader.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "controller/controller.h"
#include "model/keys.h"
#include "plan/lock_owner.h"

enum {
    LEASE_S = 15,
    SURE_MS = 10000, /* less than the lease: stop before another can begin */
    RENEW_MS = 4000,
    AGAIN_MS = 1000,
    CALL_MS = 4000,
};

void leader_init(struct leader *l, struct controller *c)
{
    *l = (struct leader){.c = c};
    pthread_mutex_init(&l->mutex, NULL);
}

void leader_clear(struct leader *l)
{
    free(l->key);
    free(l->other);
    pthread_mutex_destroy(&l->mutex);
}

/* ---- what others ask ---- */

bool leader_leads(struct leader *l, struct etcd_fence *fence)
{
    bool leads;

    pthread_mutex_lock(&l->mutex);
    leads = l->revision > 0 && clock_lease_ms() - l->renewed < SURE_MS;
    *fence = (struct etcd_fence){l->key, l->revision};
    pthread_mutex_unlock(&l->mutex);
    return leads;
}

int leader_ask(void *arg, struct err *e)
{
    struct etcd_fence fence;

    if (leader_leads(arg, &fence))
        return 0;
    return err_set(e, ERR_LOCKED, "this server keeps the environment no longer");
}

char *leader_other(struct leader *l)
{
    char *other;

    pthread_mutex_lock(&l->mutex);
    other = mem_strdup(l->other);
    pthread_mutex_unlock(&l->mutex);
    return other;
}

/* ---- the thread ---- */

static void set_led(struct leader *l, int64_t revision, int64_t renewed)
{
    pthread_mutex_lock(&l->mutex);
    l->revision = revision;
    l->renewed = renewed;
    pthread_mutex_unlock(&l->mutex);
    view_poke(&l->c->view);
}

/* Takes the name. */
static void set_other(struct leader *l, char *other)
{
    bool differs;

    pthread_mutex_lock(&l->mutex);
    differs = other && (!l->other || strcmp(l->other, other) != 0);
    free(l->other);
    l->other = other;
    pthread_mutex_unlock(&l->mutex);
    if (differs) /* this thread alone changes it */
        log_info("the environment is kept by %s; this server waits", other);
}

static int open_etcd(struct leader *l, struct err *e)
{
    struct env_opts o = l->c->env;
    struct env *env = NULL;
    int r;

    if (l->etcd)
        return 0;
    o.cancel = &l->c->stop;
    o.timeout_ms = CALL_MS;
    r = env_open(&env, &o, ENV_NEEDS_NAME | ENV_NEEDS_ETCD, e);
    if (r == 0)
        r = etcd_clone(&l->etcd, env->etcd, e);
    if (r == 0)
        etcd_set_deadline(l->etcd, CLOCK_NEVER);
    env_close(env);
    return r;
}

static void close_etcd(struct leader *l)
{
    etcd_close(l->etcd);
    l->etcd = NULL;
}

/* One of this machine whose process is gone need not be waited for. */
static void look_at_other(struct leader *l)
{
    struct etcd_kv kv = {0};
    struct etcd_txn *t;
    struct err e;

    if (etcd_get(&kv, l->etcd, l->key, &e) < 0) {
        err_drop(&e, "who keeps the environment");
        return;
    }
    set_other(l, lock_owner_name(kv.value));
    if (lock_owner_fate(kv.value) == PROCID_GONE) {
        t = etcd_txn_new();
        etcd_txn_if(t, kv.key, ETCD_CMP_CREATE_EQ, kv.create_revision);
        etcd_txn_delete(t, kv.key);
        if (etcd_txn_run(l->etcd, t, NULL, &e) < 0)
            err_drop(&e, "putting aside a server that is gone");
        etcd_txn_free(t);
    }
    etcd_kv_clear(&kv);
}

static int take(struct leader *l, struct err *e)
{
    auto_free char *owner = lock_owner_text("slipwayd", "slipwayd");
    int64_t asked;

    if (open_etcd(l, e) < 0)
        return -1;
    etcd_set_until(l->etcd, until_in(CALL_MS, NULL));
    asked = clock_lease_ms();
    if (etcd_lock_take(&l->lock, l->etcd, l->key, owner, LEASE_S, e) < 0) {
        if (e->code == ERR_LOCKED)
            look_at_other(l);
        else
            close_etcd(l);
        return -1;
    }
    set_other(l, NULL);
    set_led(l, l->lock.create_revision, asked);
    log_info("this server keeps the environment");
    return 0;
}

/* A lease may outlive its key, which somebody removed. */
static int renew_key(struct leader *l, struct err *e)
{
    struct etcd_kv kv = {0};
    int r = etcd_lease_keepalive(l->etcd, l->lock.lease, e);

    if (r == 0)
        r = etcd_get(&kv, l->etcd, l->key, e);
    if (r == 0 && kv.create_revision != l->lock.create_revision)
        r = err_set(e, ERR_NOTFOUND, "%s is another's", l->key);
    etcd_kv_clear(&kv);
    return r;
}

static void renew(struct leader *l)
{
    int64_t asked;
    struct err e;
    int r;

    if (!l->etcd && open_etcd(l, &e) < 0) {
        err_drop(&e, "renewing who keeps the environment");
        return;
    }
    etcd_set_until(l->etcd, until_in(CALL_MS, NULL));
    asked = clock_lease_ms();
    r = renew_key(l, &e);
    if (r == 0) {
        pthread_mutex_lock(&l->mutex);
        l->renewed = asked;
        pthread_mutex_unlock(&l->mutex);
        return;
    }
    if (e.code == ERR_NOTFOUND) {
        log_warn("this server keeps the environment no longer: %s", e.msg);
        free(l->lock.key);
        l->lock = (struct etcd_lock){0};
        set_led(l, 0, 0);
        return;
    }
    err_drop(&e, "renewing who keeps the environment");
    close_etcd(l);
}

static void *run(void *arg)
{
    struct leader *l = arg;
    const struct until told = {.cancel = &l->c->stop};
    struct err e;

    while (!cancel_count(&l->c->stop)) {
        if (l->lock.key)
            renew(l);
        else if (take(l, &e) < 0)
            err_drop(&e, "whether this server may keep the environment");
        until_sleep_ms(told, l->lock.key && l->etcd ? RENEW_MS : AGAIN_MS);
    }
    set_led(l, 0, 0);
    if (l->lock.key && l->etcd) {
        etcd_set_until(l->etcd, until_in(CALL_MS, NULL));
        if (etcd_lock_release(l->etcd, &l->lock, &e) < 0)
            err_drop(&e, "letting go of the environment");
    }
    close_etcd(l);
    free(l->lock.key);
    return NULL;
}

int leader_start(struct leader *l, struct err *e)
{
    l->key = keys_controller_leader(l->c->env.name);
    if (thread_start(&l->thread, NULL, run, l) != 0)
        return err_set(e, ERR_SYS, "a thread could not be started");
    l->started = true;
    return 0;
}

void leader_stop(struct leader *l)
{
    if (l->started)
        pthread_join(l->thread, NULL);
    l->started = false;
}

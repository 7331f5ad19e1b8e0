/* SPDX-License-Identifier: MIT */
#include "fake/lock.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/mem.h"
#include "etcd/etcd.h"

struct fake_lock fake_lock = {.cancel = {.fds = {-1, -1}}};

void fake_lock_reset(void)
{
    struct cancel cancel = fake_lock.cancel;

    fake_lock = (struct fake_lock){.now = 1000000, .cancel = cancel};
    cancel_set_aside(&fake_lock.cancel);
}

static int answer(enum err_code code, struct err *e)
{
    return code == ERR_NONE ? 0 : err_set(e, code, "etcd says so");
}

int __wrap_etcd_open(struct etcd **out, const struct link *l, const void *o, struct err *e);
int __wrap_etcd_open(struct etcd **out, const struct link *l, const void *o, struct err *e)
{
    (void)l;
    (void)o;
    if (fake_lock.refuse_open)
        return err_set(e, ERR_NET, "no endpoint");
    fake_lock.open++;
    *out = (struct etcd *)(uintptr_t)1;
    return 0;
}

void __wrap_etcd_close(struct etcd *c);
void __wrap_etcd_close(struct etcd *c)
{
    fake_lock.open -= c != NULL;
}

void __wrap_etcd_set_until(struct etcd *c, struct until until);
void __wrap_etcd_set_until(struct etcd *c, struct until until)
{
    (void)c;
    (void)until;
}

int __wrap_etcd_get(struct etcd_kv *out, struct etcd *c, const char *key, struct err *e);
int __wrap_etcd_get(struct etcd_kv *out, struct etcd *c, const char *key, struct err *e)
{
    (void)c;
    if (!fake_lock.owner)
        return err_set(e, ERR_NOTFOUND, "no key");
    *out = (struct etcd_kv){.key = mem_strdup(key),
                            .value = mem_strdup(fake_lock.owner),
                            .value_len = strlen(fake_lock.owner),
                            .lease = 99,
                            .create_revision = 42};
    return 0;
}

int __wrap_etcd_lock_take_behind(struct etcd_lock *out, struct etcd *c,
                                 const struct etcd_lock_want *w, struct err *e);
int __wrap_etcd_lock_take_behind(struct etcd_lock *out, struct etcd *c,
                                 const struct etcd_lock_want *w, struct err *e)
{
    (void)c;
    assert_non_null(strstr(w->owner, "\"command\""));
    fake_lock.fence = w->fence.create_revision;
    if (answer(fake_lock.take, e) < 0)
        return -1;
    fake_lock.taken++;
    *out = (struct etcd_lock){.key = mem_strdup(w->key), .create_revision = 7};
    return 0;
}

int __wrap_etcd_lock_release(struct etcd *c, struct etcd_lock *l, struct err *e);
int __wrap_etcd_lock_release(struct etcd *c, struct etcd_lock *l, struct err *e)
{
    (void)c;
    (void)e;
    fake_lock.release++;
    free(l->key);
    l->key = NULL;
    return 0;
}

int __wrap_etcd_txn_run(struct etcd *c, const struct etcd_txn *t, int64_t *revision, struct err *e);
int __wrap_etcd_txn_run(struct etcd *c, const struct etcd_txn *t, int64_t *revision, struct err *e)
{
    (void)c;
    (void)t;
    (void)revision;
    fake_lock.deleted++;
    fake_lock.take = ERR_NONE;
    return answer(fake_lock.put_aside, e);
}

int __wrap_etcd_lease_revoke(struct etcd *c, int64_t lease, struct err *e);
int __wrap_etcd_lease_revoke(struct etcd *c, int64_t lease, struct err *e)
{
    (void)c;
    (void)e;
    fake_lock.revoked = lease;
    return 0;
}

int __wrap_etcd_lease_keepalive(struct etcd *c, int64_t lease, struct err *e);
int __wrap_etcd_lease_keepalive(struct etcd *c, int64_t lease, struct err *e)
{
    (void)c;
    (void)lease;
    fake_lock.now += 4000;
    fake_lock.kept++;
    return answer((enum err_code)fake_lock.keepalive, e);
}

/* ---- time that passes at once ---- */

int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void)
{
    return fake_lock.now;
}

int64_t __wrap_clock_lease_ms(void);
int64_t __wrap_clock_lease_ms(void)
{
    return fake_lock.now + fake_lock.asleep;
}

void __wrap_until_sleep_ms(struct until u, int64_t ms);
void __wrap_until_sleep_ms(struct until u, int64_t ms)
{
    (void)u;
    fake_lock.now += ms;
    if (++fake_lock.sleeps == fake_lock.interrupts_after)
        cancel_raise(&fake_lock.cancel);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until)
{
    (void)until;
    if (fake_lock.held_up)
        return pthread_cond_wait(cond, mutex);
    pthread_mutex_unlock(mutex);
    sched_yield();
    pthread_mutex_lock(mutex);
    return ETIMEDOUT;
}

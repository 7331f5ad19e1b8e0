/* SPDX-License-Identifier: MIT */
// wrap: etcd_open etcd_close etcd_set_until etcd_get etcd_lock_take_behind etcd_lock_release
// wrap: etcd_lease_keepalive clock_now_ms until_sleep_ms pthread_cond_timedwait
/* The lock beside a controller: who waits for it, the fence, and a process that was held up. */
#include "plan/lock.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "plan/lock_owner.h"

static _Atomic int64_t now;
static atomic_bool thread_runs; /* or is held up as well */
static int sleeps;
static enum err_code take;
static const char *holder;
static int64_t fence_revision;

int __wrap_etcd_open(struct etcd **out, const struct link *l, const void *o, struct err *e);
int __wrap_etcd_open(struct etcd **out, const struct link *l, const void *o, struct err *e)
{
    (void)l;
    (void)o;
    (void)e;
    *out = (struct etcd *)(uintptr_t)1;
    return 0;
}

void __wrap_etcd_close(struct etcd *c);
void __wrap_etcd_close(struct etcd *c)
{
    (void)c;
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
    (void)e;
    *out = (struct etcd_kv){.key = mem_strdup(key), .value = mem_strdup(holder)};
    return 0;
}

int __wrap_etcd_lock_take_behind(struct etcd_lock *out, struct etcd *c,
                                 const struct etcd_lock_want *w, struct err *e);
int __wrap_etcd_lock_take_behind(struct etcd_lock *out, struct etcd *c,
                                 const struct etcd_lock_want *w, struct err *e)
{
    (void)c;
    fence_revision = w->fence.create_revision;
    if (take != ERR_NONE)
        return err_set(e, take, "etcd says so");
    *out = (struct etcd_lock){.key = mem_strdup(w->key), .create_revision = 7};
    return 0;
}

int __wrap_etcd_lock_release(struct etcd *c, struct etcd_lock *l, struct err *e);
int __wrap_etcd_lock_release(struct etcd *c, struct etcd_lock *l, struct err *e)
{
    (void)c;
    (void)e;
    free(l->key);
    return 0;
}

int __wrap_etcd_lease_keepalive(struct etcd *c, int64_t lease, struct err *e);
int __wrap_etcd_lease_keepalive(struct etcd *c, int64_t lease, struct err *e)
{
    (void)c;
    (void)lease;
    (void)e;
    return 0;
}

int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void)
{
    return now;
}

void __wrap_until_sleep_ms(struct until u, int64_t ms);
void __wrap_until_sleep_ms(struct until u, int64_t ms)
{
    (void)u;
    sleeps++;
    now += ms;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *at);
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *at)
{
    (void)at;
    if (!thread_runs)
        return pthread_cond_wait(c, m);
    pthread_mutex_unlock(m);
    sched_yield();
    pthread_mutex_lock(m);
    return ETIMEDOUT;
}

static char home[] = "/tmp/lock_keeper_test.XXXXXX";

static int set_up(void **state)
{
    (void)state;
    now = 1000000;
    thread_runs = false;
    sleeps = 0;
    take = ERR_NONE;
    holder = NULL;
    return 0;
}

static struct env_lock *opened(void)
{
    const struct lock_opts o = {.env = "demo",
                                .folder = home,
                                .command = "up",
                                .user = "ann",
                                .fence = {"/slipway/demo/x", 5}};
    struct env_lock *l = NULL;
    struct err e;

    assert_int_equal(lock_open(&l, &o, &e), 0);
    return l;
}

static void the_controller_is_waited_for_unasked_and_others_are_not(void **state)
{
    auto_free char *keeper = lock_owner_text(LOCK_KEEPER, "slipwayd");
    auto_free char *other = lock_owner_text("up", "bob");
    struct env_lock *l = opened();
    struct err e;

    (void)state;
    take = ERR_LOCKED;
    holder = other;
    assert_int_equal(lock_take(l, NULL, &e), -1);
    assert_int_equal(sleeps, 0);
    holder = keeper;
    assert_int_equal(lock_take(l, NULL, &e), -1);
    assert_int_equal(e.code, ERR_LOCKED);
    assert_non_null(strstr(e.msg, "`keep` of slipwayd@"));
    assert_int_equal(sleeps, 200); /* 20 s */
    lock_close(l);
}

static void a_fence_that_fell_is_said_at_once(void **state)
{
    struct env_lock *l = opened();
    struct err e;

    (void)state;
    take = ERR_CONFLICT;
    assert_int_equal(lock_take(l, NULL, &e), -1);
    assert_int_equal(e.code, ERR_LOCKED);
    assert_int_equal(sleeps, 0);
    assert_int_equal(fence_revision, 5);
    lock_close(l);
}

/* It asks before its thread has found out. */
static void a_process_that_was_held_up_has_lost_its_lock(void **state)
{
    struct env_lock *l = opened();
    struct err e;

    (void)state;
    assert_int_equal(lock_take(l, NULL, &e), 0);
    now += 10000;
    assert_false(lock_is_lost(l));
    now += 1;
    assert_true(lock_is_lost(l));
    lock_set_etcd_away(l, true);
    assert_false(lock_is_lost(l));
    lock_set_etcd_away(l, false);
    assert_false(lock_is_lost(l));
    lock_close(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_controller_is_waited_for_unasked_and_others_are_not, set_up),
        cmocka_unit_test_setup(a_fence_that_fell_is_said_at_once, set_up),
        cmocka_unit_test_setup(a_process_that_was_held_up_has_lost_its_lock, set_up),
    };
    struct err e;
    int failed;

    if (!mkdtemp(home))
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    return fs_remove_tree(home, &e) < 0 || failed;
}

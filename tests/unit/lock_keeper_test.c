/* SPDX-License-Identifier: MIT */
// fake: lock
// wrap: etcd_open etcd_close etcd_get etcd_lock_take_behind etcd_lock_release
// wrap: etcd_lease_keepalive etcd_lease_revoke etcd_txn_run etcd_set_until
// wrap: clock_now_ms clock_lease_ms until_sleep_ms pthread_cond_timedwait
/* The lock beside a controller: who waits for it, the fence, and a process that was held up. */
#include "plan/lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "fake/lock.h"
#include "plan/lock_owner.h"

static char home[] = "/tmp/lock_keeper_test.XXXXXX";

static int set_up(void **state)
{
    (void)state;
    fake_lock_reset();
    fake_lock.held_up = true;
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
    fake_lock.take = ERR_LOCKED;
    fake_lock.owner = other;
    assert_int_equal(lock_take(l, NULL, &e), -1);
    assert_int_equal(fake_lock.sleeps, 0);
    fake_lock.owner = keeper;
    assert_int_equal(lock_take(l, NULL, &e), -1);
    assert_int_equal(e.code, ERR_LOCKED);
    assert_non_null(strstr(e.msg, "`keep` of slipwayd@"));
    assert_int_equal(fake_lock.sleeps, 200); /* 20 s */
    lock_close(l);
}

static void a_fence_that_fell_is_said_at_once(void **state)
{
    struct env_lock *l = opened();
    struct err e;

    (void)state;
    fake_lock.take = ERR_CONFLICT;
    assert_int_equal(lock_take(l, NULL, &e), -1);
    assert_int_equal(e.code, ERR_LOCKED);
    assert_int_equal(fake_lock.sleeps, 0);
    assert_int_equal(fake_lock.fence, 5);
    lock_close(l);
}

/* It asks before its thread has found out. */
static void a_process_that_was_held_up_has_lost_its_lock(void **state)
{
    struct env_lock *l = opened();
    struct err e;

    (void)state;
    assert_int_equal(lock_take(l, NULL, &e), 0);
    fake_lock.now += 10000;
    assert_false(lock_is_lost(l));
    fake_lock.now += 1;
    assert_true(lock_is_lost(l));
    lock_set_etcd_away(l, true);
    assert_false(lock_is_lost(l));
    lock_set_etcd_away(l, false);
    assert_false(lock_is_lost(l));
    lock_close(l);
}

/* A machine that sleeps counts no time but that of leases. */
static void a_machine_that_slept_has_lost_its_lock(void **state)
{
    struct env_lock *l = opened();
    struct err e;

    (void)state;
    assert_int_equal(lock_take(l, NULL, &e), 0);
    fake_lock.asleep += 10000;
    assert_false(lock_is_lost(l));
    fake_lock.asleep += 1;
    assert_true(lock_is_lost(l));
    lock_close(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_controller_is_waited_for_unasked_and_others_are_not, set_up),
        cmocka_unit_test_setup(a_fence_that_fell_is_said_at_once, set_up),
        cmocka_unit_test_setup(a_process_that_was_held_up_has_lost_its_lock, set_up),
        cmocka_unit_test_setup(a_machine_that_slept_has_lost_its_lock, set_up),
    };
    struct err e;
    int failed;

    if (!mkdtemp(home))
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    return fs_remove_tree(home, &e) < 0 || failed;
}

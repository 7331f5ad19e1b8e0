/* SPDX-License-Identifier: MIT */
// fake: lock
// wrap: etcd_open etcd_close etcd_get etcd_lock_take_behind etcd_lock_release
// wrap: etcd_lease_keepalive etcd_lease_revoke etcd_txn_run etcd_set_until
// wrap: clock_now_ms clock_lease_ms until_sleep_ms pthread_cond_timedwait
#include "plan/lock.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "fake/lock.h"
#include "plan/lock_owner.h"

#define SEE "`slipway -e demo lock status`"
#define ANOTHER "another run holds the lock of environment demo; " SEE " says which"

/* ---- the folder of the key ---- */

static char home[] = "/tmp/slipway-lock-test-XXXXXX";
static char folder[sizeof(home) + sizeof("/demo")];

static int set_up(void **state)
{
    (void)state;
    fake_lock_reset();
    memcpy(home + strlen(home) - 6, "XXXXXX", 6);
    if (!mkdtemp(home))
        return -1;
    snprintf(folder, sizeof(folder), "%s/demo", home);
    return 0;
}

static int tear_down(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(fake_lock.open, 0);
    return fs_remove_tree(home, &e);
}

static struct lock_opts options(const char *command, int64_t wait_ms)
{
    return (struct lock_opts){.env = "demo",
                              .folder = folder,
                              .user = "ann",
                              .command = command,
                              .wait_ms = wait_ms,
                              .until = {.cancel = &fake_lock.cancel}};
}

static struct env_lock *opened(void)
{
    struct lock_opts o = options("up", 1000);
    struct env_lock *l = NULL;
    struct err e;

    assert_int_equal(lock_open(&l, &o, &e), 0);
    return l;
}

static void assert_take_fails(struct env_lock *l, enum err_code code, const char *sentence)
{
    struct err e = {0};

    assert_int_equal(lock_take(l, NULL, &e), -1);
    assert_int_equal(e.code, code);
    assert_string_equal(e.msg, sentence);
    assert_false(lock_is_taken(l));
    assert_null(lock_key(l));
}

/* ---- the file ---- */

static void a_second_run_on_this_machine_waits_and_is_told_who_holds_the_lock(void **state)
{
    (void)state;
    struct lock_opts o = options("down", 1000);
    struct env_lock *first = opened(), *second = NULL;
    struct err e;

    assert_int_equal(lock_open(&second, &o, &e), -1);
    assert_null(second);
    assert_ptr_equal(strstr(e.msg, "environment demo is locked by `up` of ann@"), e.msg);
    assert_non_null(strstr(e.msg, "wait with --lock-wait"));
    assert_int_equal(fake_lock.sleeps, 10);
    lock_close(first);
    assert_int_equal(lock_open(&second, &o, &e), 0);
    lock_close(second);
}

static void a_lock_file_that_is_no_document_is_still_a_lock(void **state)
{
    (void)state;
    struct lock_opts o = options("up", 0);
    auto_free char *path = fs_join(folder, "lock");
    struct env_lock *first = opened(), *second;
    struct err e;

    assert_int_equal(truncate(path, 1), 0);
    assert_int_equal(lock_open(&second, &o, &e), -1);
    assert_int_equal(e.code, ERR_LOCKED);
    assert_string_equal(e.msg, ANOTHER);
    lock_close(first);
}

static void an_interrupt_ends_the_wait_for_the_file(void **state)
{
    (void)state;
    struct lock_opts o = options("up", 100000);
    struct env_lock *first = opened(), *second;
    struct err e;

    fake_lock.interrupts_after = 3;
    assert_int_equal(lock_open(&second, &o, &e), -1);
    assert_int_equal(e.code, ERR_INTERRUPTED);
    assert_int_equal(fake_lock.sleeps, 3);
    lock_close(first);
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    struct lock_opts o = options("up", 0);
    struct env_lock *l = NULL;
    struct err e;

    assert_int_equal(mknod(folder, S_IFREG | 0600, 0), 0);
    assert_int_equal(lock_open(&l, &o, &e), -1);
    assert_null(l);
    assert_int_equal(e.code, ERR_SYS);
    assert_non_null(strstr(e.msg, folder));
}

/* ---- the key ---- */

static void the_key_is_taken_once_and_let_go_at_the_end(void **state)
{
    (void)state;
    struct env_lock *l = opened();
    struct err e;

    assert_int_equal(lock_take(l, NULL, &e), 0);
    assert_int_equal(lock_take(l, NULL, &e), 0);
    assert_int_equal(fake_lock.taken, 1);
    assert_true(lock_is_taken(l));
    assert_int_equal(lock_revision(l), 7);
    assert_string_equal(lock_key(l), "/slipway/demo/lock");
    lock_close(l);
    assert_int_equal(fake_lock.release, 1);
}

static void the_holder_of_the_key_is_named_when_the_wait_is_over(void **state)
{
    (void)state;
    struct env_lock *l = opened();

    fake_lock.take = ERR_LOCKED;
    fake_lock.owner = "{\"user\":\"ann\",\"host\":\"far\",\"pid\":12,\"command\":\"down\","
                      "\"since\":\"2026-01-31T00:00:00.000Z\"}";
    assert_take_fails(l, ERR_LOCKED,
                      "environment demo is locked by `down` of ann@far, process 12, since "
                      "2026-01-31T00:00:00.000Z; wait with --lock-wait, or see " SEE);
    assert_int_equal(fake_lock.sleeps, 10);
    assert_int_equal(fake_lock.deleted, 0);
    fake_lock.owner = "[";
    assert_take_fails(l, ERR_LOCKED, ANOTHER);
    lock_close(l);
    assert_int_equal(fake_lock.release, 0);
}

static void an_interrupt_ends_the_wait_for_the_key(void **state)
{
    (void)state;
    struct env_lock *l = opened();

    fake_lock.take = ERR_LOCKED;
    fake_lock.interrupts_after = 2;
    assert_take_fails(l, ERR_INTERRUPTED, "interrupted while waiting for the lock");
    lock_close(l);
}

/* A process of this machine with our number and another start: it is gone. */
static char *dead_owner(void)
{
    auto_free char *own = lock_owner_text("up", "ann");
    size_t before = (size_t)(strstr(own, "\"start\":") - own) + strlen("\"start\":");

    return mem_printf("%.*s1%s", (int)before, own, own + before);
}

static void a_holder_of_this_machine_that_is_dead_is_put_aside(void **state)
{
    (void)state;
    auto_free char *owner = dead_owner();
    struct env_lock *l = opened();
    struct err e;

    fake_lock.take = ERR_LOCKED;
    fake_lock.owner = owner;
    assert_int_equal(lock_take(l, NULL, &e), 0);
    assert_true(fake_lock.deleted == 1 && fake_lock.revoked == 99);
    lock_close(l);
}

static void another_that_was_faster_at_it_is_no_error(void **state)
{
    (void)state;
    auto_free char *owner = dead_owner();
    struct env_lock *l = opened();
    struct err e;

    fake_lock.take = ERR_LOCKED;
    fake_lock.owner = owner;
    fake_lock.put_aside = ERR_CONFLICT;
    assert_int_equal(lock_take(l, NULL, &e), 0);
    lock_close(l);
    assert_int_equal(fake_lock.revoked, 0);
    l = opened();
    fake_lock.take = ERR_LOCKED;
    fake_lock.put_aside = ERR_NET;
    assert_take_fails(l, ERR_NET, "taking the lock of environment demo: etcd says so");
    lock_close(l);
}

static void a_holder_that_lives_is_left_alone(void **state)
{
    (void)state;
    auto_free char *owner = lock_owner_text("up", "ann");
    struct env_lock *l = opened();
    struct err e;

    fake_lock.take = ERR_LOCKED;
    fake_lock.owner = owner;
    assert_int_equal(lock_take(l, NULL, &e), -1);
    assert_int_equal(fake_lock.deleted + fake_lock.revoked, 0);
    lock_close(l);
}

static void an_etcd_that_cannot_be_asked_is_the_reason(void **state)
{
    (void)state;
    struct env_lock *l = opened();

    fake_lock.refuse_open = true;
    assert_take_fails(l, ERR_NET, "no endpoint");
    fake_lock.refuse_open = false;
    fake_lock.take = ERR_AUTH;
    assert_take_fails(l, ERR_AUTH, "taking the lock of environment demo: etcd says so");
    lock_close(l);
}

/* ---- keeping it ---- */

static struct env_lock *kept(enum err_code keepalive)
{
    struct env_lock *l = opened();
    struct err e;

    fake_lock.keepalive = (int)keepalive;
    assert_int_equal(lock_take(l, NULL, &e), 0);
    return l;
}

static void wait_kept(int count)
{
    while (fake_lock.kept < count)
        sched_yield();
}

static void a_lease_that_is_gone_is_a_lost_lock(void **state)
{
    (void)state;
    struct env_lock *l = kept(ERR_NOTFOUND);

    while (!lock_is_lost(l))
        sched_yield();
    assert_int_equal(fake_lock.kept, 1);
    lock_close(l);
}

static void an_etcd_that_stays_away_is_a_lost_lock_before_another_can_start(void **state)
{
    (void)state;
    struct env_lock *l = kept(ERR_NET);

    while (!lock_is_lost(l))
        sched_yield();
    /* 4 s each; 10 s are allowed, the lease has 15 */
    assert_true(fake_lock.kept == 2 || fake_lock.kept == 3);
    lock_close(l);
}

static void an_etcd_that_this_run_replaces_may_stay_away(void **state)
{
    (void)state;
    struct env_lock *l = kept(ERR_NONE);

    wait_kept(1);
    lock_set_etcd_away(l, true);
    fake_lock.keepalive = ERR_NET;
    wait_kept(fake_lock.kept + 10);
    assert_false(lock_is_lost(l));
    fake_lock.keepalive = ERR_NONE;
    wait_kept(fake_lock.kept + 2);
    lock_set_etcd_away(l, false);
    wait_kept(fake_lock.kept + 10);
    assert_false(lock_is_lost(l));
    lock_close(l);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_second_run_on_this_machine_waits_and_is_told_who_holds_the_lock),
        TEST(a_lock_file_that_is_no_document_is_still_a_lock),
        TEST(an_interrupt_ends_the_wait_for_the_file),
        TEST(a_folder_that_cannot_be_made_is_named),
        TEST(the_key_is_taken_once_and_let_go_at_the_end),
        TEST(the_holder_of_the_key_is_named_when_the_wait_is_over),
        TEST(an_interrupt_ends_the_wait_for_the_key),
        TEST(a_holder_of_this_machine_that_is_dead_is_put_aside),
        TEST(another_that_was_faster_at_it_is_no_error),
        TEST(a_holder_that_lives_is_left_alone),
        TEST(an_etcd_that_cannot_be_asked_is_the_reason),
        TEST(a_lease_that_is_gone_is_a_lost_lock),
        TEST(an_etcd_that_stays_away_is_a_lost_lock_before_another_can_start),
        TEST(an_etcd_that_this_run_replaces_may_stay_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
// wrap: clock_sleep_ms
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "plan/lock.h"

static char home[] = "/tmp/slipway-lock-file-test-XXXXXX";
static struct env_lock *holder;

/* While the second one waits, the first does what `down --volumes` does, and ends. */
void __wrap_clock_sleep_ms(int64_t ms);
void __wrap_clock_sleep_ms(int64_t ms)
{
    struct err e;

    (void)ms;
    if (!holder)
        return;
    assert_int_equal(fs_remove_tree(home, &e), 0);
    lock_close(steal(holder));
}

static void who_waited_for_a_file_that_is_gone_locks_the_one_that_others_find(void **state)
{
    struct lock_opts o = {.env = "demo", .command = "up", .wait_ms = 5000}, now = o;
    struct env_lock *second = NULL, *third = NULL;
    struct err e;

    (void)state;
    now.wait_ms = 0;
    assert_non_null(mkdtemp(home));
    assert_int_equal(setenv("SLIPWAY_HOME", home, 1), 0);
    assert_int_equal(lock_open(&holder, &o, &e), 0);
    assert_int_equal(lock_open(&second, &o, &e), 0);
    assert_null(holder);
    assert_int_equal(lock_open(&third, &now, &e), -1);
    assert_int_equal(e.code, ERR_LOCKED);
    lock_close(second);
    assert_int_equal(lock_open(&third, &now, &e), 0);
    lock_close(third);
    assert_int_equal(fs_remove_tree(home, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waited_for_a_file_that_is_gone_locks_the_one_that_others_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

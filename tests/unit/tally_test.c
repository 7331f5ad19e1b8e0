/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "env/tally.h"

static void nothing_failed_is_fine(void **state)
{
    struct env env = {0};
    struct tally t = {0};
    struct err e;

    (void)state;
    assert_int_equal(tally_result(&t, &env, "interrupted", &e), 0);
    tally_add(&t, "a", true);
    assert_int_equal(tally_result(&t, &env, "interrupted", &e), 0);
}

static void what_failed_is_counted_and_named_once(void **state)
{
    struct env env = {0};
    struct tally t = {0};
    struct err e;

    (void)state;
    tally_add(&t, "a", false);
    tally_add(&t, "b", true);
    tally_add(&t, "a", false);
    tally_add(&t, "c", false);
    assert_int_equal(tally_result(&t, &env, "interrupted", &e), -1);
    assert_int_equal(e.code, ERR_PARTIAL);
    assert_string_equal(e.msg, "failed in 3 of 4: a, c");
    assert_int_equal(t.count, 0);
}

static void a_failure_of_a_cancelled_task_is_the_interruption(void **state)
{
    struct cancel cancel;
    struct env env = {.until = {.cancel = &cancel}};
    struct tally t = {0};
    struct err e;

    (void)state;
    cancel_init(&cancel);
    cancel_raise(&cancel);
    tally_add(&t, "a", true);
    assert_int_equal(tally_result(&t, &env, "interrupted; run it again", &e), 0);
    tally_add(&t, "a", false);
    assert_int_equal(tally_result(&t, &env, "interrupted; run it again", &e), -1);
    assert_int_equal(e.code, ERR_INTERRUPTED);
    assert_string_equal(e.msg, "interrupted; run it again");
    cancel_clear(&cancel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_failed_is_fine),
        cmocka_unit_test(what_failed_is_counted_and_named_once),
        cmocka_unit_test(a_failure_of_a_cancelled_task_is_the_interruption),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

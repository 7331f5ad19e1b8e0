/* SPDX-License-Identifier: MIT */
#include "plan/lock_owner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

/* `text` with `from` made a `to`; owned. */
static char *changed(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);

    assert_non_null(at);
    return mem_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void a_lock_says_which_process_holds_it(void **state)
{
    auto_free char *mine = lock_owner_text("up", "ann");

    (void)state;
    assert_int_equal(lock_owner_fate(mine), PROCID_ALIVE);
    assert_true(lock_owner_is_command(mine, "up"));
    assert_false(lock_owner_is_command(mine, "down"));
    assert_false(lock_owner_is_command("[", "down"));
}

static void a_number_that_another_process_has_now_is_no_holder(void **state)
{
    auto_free char *mine = lock_owner_text("up", "ann");
    auto_free char *other = changed(mine, "\"start\":", "\"start\":1");

    (void)state;
    assert_int_equal(lock_owner_fate(other), PROCID_GONE);
}

static void nobody_knows_of_a_process_elsewhere_or_of_one_that_is_not_told_whole(void **state)
{
    static const char *const changes[][2] = {
        {"\"boot\":\"", "\"boot\":\"x"},  {"pid:[", "pid:[9"},
        {"\"process\"", "\"progress\""},  {"\"boot\"", "\"boots\""},
        {"\"namespaces\"", "\"places\""}, {"\"start\":", "\"start\":0,\"x\":"},
        {"\"pid\"", "\"bid\""},           {"{", "["},
    };
    auto_free char *mine = lock_owner_text("up", "ann");
    /* It would be gone: the start is another. */
    auto_free char *gone = changed(mine, "\"start\":", "\"start\":1");

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        auto_free char *text = changed(gone, changes[i][0], changes[i][1]);

        assert_int_equal(lock_owner_fate(text), PROCID_UNKNOWN);
    }
    assert_int_equal(lock_owner_fate("{\"host\":\"far\",\"pid\":1,\"command\":\"up\"}"),
                     PROCID_UNKNOWN);
}

static void what_is_not_told_of_a_holder_is_a_mark(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(lock_owner_error(&e, "demo", "{}"), -1);
    assert_string_equal(e.msg, "environment demo is locked by `?` of ?@?, process 0, since ?; wait "
                               "with --lock-wait, or see `slipway -e demo lock status`");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_says_which_process_holds_it),
        cmocka_unit_test(a_number_that_another_process_has_now_is_no_holder),
        cmocka_unit_test(nobody_knows_of_a_process_elsewhere_or_of_one_that_is_not_told_whole),
        cmocka_unit_test(what_is_not_told_of_a_holder_is_a_mark),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "env/volume_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

static void a_complaint_is_the_line_about_the_volume(void **state)
{
    (void)state;
    static const char TEXT[] = "hook apply failed with status 1: volume other: no\n"
                               "volume mine: 1 -> 2 bytes\n"
                               "volume mine: there is no pool x\nvolume third: no";
    char *items[] = {(char[]){"mine"}, NULL}, *more[] = {(char[]){"fourth"}, NULL};
    struct strv mine = {.items = items, .count = 1}, fourth = {.items = more, .count = 1};
    auto_free char *a = volume_complaint(TEXT, "volume", &mine);
    auto_free char *b = volume_complaint(TEXT, "volume", &fourth);
    auto_free char *c = volume_complaint("hook apply: deadline", "volume", &fourth);

    assert_string_equal(a, "volume mine: there is no pool x");
    assert_null(b);
    assert_string_equal(c, "hook apply: deadline");
}

static void a_complaint_about_a_pool_is_none_about_a_volume(void **state)
{
    (void)state;
    static const char LAST[] = "hook apply failed with status 1: pool small, replicated\n"
                               "pool large: osd pool create: too many PGs";
    static const char OTHER[] = "hook apply failed with status 1: pool small, replicated\n"
                                "volumes: no monitor quorum";
    char *items[] = {(char[]){"large"}, NULL};
    struct strv large = {.items = items, .count = 1};
    auto_free char *a = volume_complaint(LAST, "volume", &large);
    auto_free char *b = volume_complaint(LAST, "pool", &large);
    auto_free char *c = volume_complaint(OTHER, "volume", &large);
    auto_free char *d = volume_complaint("hook apply: pool small: no", "volume", &large);

    assert_null(a);
    assert_string_equal(b, "pool large: osd pool create: too many PGs");
    assert_string_equal(c, OTHER);
    assert_null(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_complaint_is_the_line_about_the_volume),
        cmocka_unit_test(a_complaint_about_a_pool_is_none_about_a_volume),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

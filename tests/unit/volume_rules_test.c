/* SPDX-License-Identifier: MIT */
#include "base/volume_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

#define SIXTY "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567"

static void names_are_letters_digits_and_three_signs(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool allowed;
    } rows[] = {
        {"a", true},          {"Z9", true},          {"0", true},    {"a_b.c-d", true},
        {SIXTY "abc", true},  {SIXTY "abcd", false}, {"", false},    {NULL, false},
        {"-a", false},        {".a", false},         {"_a", false},  {"a b", false},
        {"a/b", false},       {"a@b", false},        {"a\n", false}, {"\xc3\xa4", false},
        {"a\xc3\xa4", false}, {"..", false},         {"a:b", false}, {"a\"b", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(volume_name_is_allowed(rows[i].name), rows[i].allowed);
}

static void sizes_are_whole_mib_from_1_mib_to_64_tib(void **state)
{
    (void)state;
    static const struct {
        int64_t bytes;
        bool in_range, whole;
    } rows[] = {
        {INT64_C(1) << 20, true, true},
        {(INT64_C(1) << 20) - 1, false, false},
        {0, false, true},
        {INT64_C(64) << 40, true, true},
        {(INT64_C(64) << 40) + 1, false, false},
        {(INT64_C(1) << 20) + 512, true, false},
        {-(INT64_C(1) << 20), false, true},
        {INT64_MAX, false, false},
        {INT64_MIN, false, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(volume_size_is_in_range(rows[i].bytes), rows[i].in_range);
        assert_int_equal(volume_size_is_whole(rows[i].bytes), rows[i].whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_letters_digits_and_three_signs),
        cmocka_unit_test(sizes_are_whole_mib_from_1_mib_to_64_tib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

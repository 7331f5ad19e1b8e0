/* SPDX-License-Identifier: MIT */
// link: installer/agent
#include "base/volume_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/rules_command.h"
#include "base/mem.h"
#include "conf/units.h"

#define SIXTY "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567"

static void names_are_letters_digits_and_three_signs(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool allowed;
    } rows[] = {
        {"a", true},          {"Z9", true},           {"0", true},    {"a_b.c-d", true},
        {SIXTY "abcd", true}, {SIXTY "abcde", false}, {"", false},    {NULL, false},
        {"-a", false},        {".a", false},          {"_a", false},  {"a b", false},
        {"a/b", false},       {"a@b", false},         {"a\n", false}, {"\xc3\xa4", false},
        {"a\xc3\xa4", false}, {"..", false},          {"a:b", false}, {"a\"b", false},
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

/* ---- the table that programs of components read (slipway-agent volume-rules) ---- */

static void names_that_the_printed_table_allows_are_those_that_the_program_allows(void **state)
{
    (void)state;
    auto_node struct node *rules = rules_build();
    const struct node *n = node_get(rules, "name");
    const char *first = node_get_text(n, "first"), *further = node_get_text(n, "further");
    int64_t most = node_get_int(n, "length_max", 0);
    auto_free char *longest = mem_alloc((size_t)most + 2);

    for (int c = 1; c < 256; c++) {
        const char one[] = {(char)c, 0}, two[] = {'a', (char)c, 0};

        assert_int_equal(volume_name_is_allowed(one), strchr(first, c) != NULL);
        assert_int_equal(volume_name_is_allowed(two), strchr(further, c) != NULL);
    }
    memset(longest, 'a', (size_t)most + 1);
    longest[most + 1] = 0;
    assert_false(volume_name_is_allowed(longest));
    longest[most] = 0;
    assert_true(volume_name_is_allowed(longest));
    auto_free char *says = mem_printf("a name is 1 to %d letters", (int)most);
    assert_non_null(strstr(node_get_text(n, "rule"), says));
}

static void sizes_that_the_printed_table_allows_are_those_that_the_program_allows(void **state)
{
    (void)state;
    auto_node struct node *rules = rules_build();
    const struct node *n = node_get(rules, "size"), *unit;
    int64_t min = node_get_int(n, "min", 0), max = node_get_int(n, "max", 0), bytes;
    int64_t step = node_get_int(n, "step", 0);
    char least[32], most[32], one[32];

    assert_true(volume_size_is_in_range(min) && volume_size_is_in_range(max));
    assert_false(volume_size_is_in_range(min - 1) || volume_size_is_in_range(max + 1));
    assert_true(volume_size_is_whole(3 * step));
    assert_false(volume_size_is_whole(3 * step + 1) || volume_size_is_whole(step / 2));
    units_format_size(least, min);
    units_format_size(most, max);
    units_format_size(one, step);
    auto_free char *says = mem_printf("%s to %s are allowed", least, most);
    auto_free char *whole = mem_printf("whole %s are allowed", one + 1);
    assert_string_equal(node_get_text(n, "rule"), says);
    assert_string_equal(node_get_text(n, "step_rule"), whole);
    node_for_each (unit, node_get(n, "units")) {
        auto_free char *text = mem_printf("1%s", unit->key);

        assert_true(units_parse_size(&bytes, text));
        assert_int_equal(node_get_int(node_get(n, "units"), unit->key, 0), bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_letters_digits_and_three_signs),
        cmocka_unit_test(sizes_are_whole_mib_from_1_mib_to_64_tib),
        cmocka_unit_test(names_that_the_printed_table_allows_are_those_that_the_program_allows),
        cmocka_unit_test(sizes_that_the_printed_table_allows_are_those_that_the_program_allows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

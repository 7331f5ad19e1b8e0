/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/change.h"

static void is(const struct config_key *key, const char *old, const char *now, const char *want)
{
    auto_buf struct buf b = {0};

    buf_init(&b, 65536);
    change_format(&b, key, old, now);
    assert_string_equal(buf_str(&b), want);
}

static void a_value_is_said_as_a_document_would_say_it(void **state)
{
    struct config_key size = {.name = (char[]){"size"}, .type = VALUE_TYPE_SIZE};
    struct config_key time = {.name = (char[]){"time"}, .type = VALUE_TYPE_DURATION};

    (void)state;
    is(&size, "939524096", "1073741824", "896MiB -> 1GiB");
    is(&time, "60000", NULL, "1min -> (unset)");
    is(NULL, NULL, "939524096", "(unset) -> 939524096");
}

static void of_a_map_only_the_entries_that_differ_are_said(void **state)
{
    struct config_key map = {.name = (char[]){"map"}, .type = VALUE_TYPE_MAP};

    (void)state;
    is(&map, "{\"a\":{\"size\":\"1GiB\"},\"b\":1,\"c\":2}",
       "{\"a\":{\"size\":\"1GiB\"},\"b\":3,\"d\":{}}", "b 1 -> 3, +d {}, -c");
    is(NULL, "{\"a\":1}", "{\"a\":1,\"b\":\"x\"}", "+b x");
    is(&map, "{\"a\":{\"size\":1,\"old\":1}}", "{\"a\":{\"size\":2,\"absent\":true}}",
       "+a.absent true, a.size 1 -> 2, -a.old");
    is(&map, NULL, "{\"a\":1}", "(unset) -> {\"a\":1}");
    is(NULL, "{\"a\":1}", "{no json", "{\"a\":1} -> {no json");
}

static void long_values_and_long_lists_are_cut(void **state)
{
    char old[200], want[200];

    (void)state;
    memset(old, 'x', sizeof(old) - 1);
    old[sizeof(old) - 1] = '\0';
    snprintf(want, sizeof(want), "%.60s... -> y", old);
    is(NULL, old, "y", want);
    is(NULL, "{}",
       "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,"
       "\"l\":1}",
       "+a 1, +b 1, +c 1, +d 1, +e 1, +f 1, +g 1, +h 1, +i 1, +j 1 and 2 more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_said_as_a_document_would_say_it),
        cmocka_unit_test(of_a_map_only_the_entries_that_differ_are_said),
        cmocka_unit_test(long_values_and_long_lists_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

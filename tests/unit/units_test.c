/* SPDX-License-Identifier: MIT */
#include "conf/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

static void sizes_are_exact_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes; /* -1: refused */
    } rows[] = {
        {"0", 0},
        {"1", 1},
        {"1KiB", 1024},
        {"3MiB", 3145728},
        {"2GiB", INT64_C(2147483648)},
        {"8388607TiB", INT64_C(8388607) << 40},
        {"9223372036854775807", INT64_MAX},
        {"8388608TiB", -1},
        {"9223372036854775808", -1},
        {"1G", -1},
        {"1gib", -1},
        {"1 GiB", -1},
        {"GiB", -1},
        {"-1", -1},
        {"+1", -1},
        {"1.5GiB", -1},
        {"", -1},
        {"0x10", -1},
        {"1s", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t bytes = -1;
        assert_int_equal(units_parse_size(&bytes, rows[i].text), rows[i].bytes >= 0);
        if (rows[i].bytes >= 0)
            assert_true(bytes == rows[i].bytes);
    }
}

static void durations_need_a_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } rows[] = {
        {"0s", 0},        {"5ms", 5}, {"1s", 1000}, {"2min", 120000}, {"3h", 10800000},
        {"1d", 86400000}, {"5", -1},  {"5m", -1},   {"1h30min", -1},  {"106751991168d", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ms = -1;
        assert_int_equal(units_parse_duration(&ms, rows[i].text), rows[i].ms >= 0);
        if (rows[i].ms >= 0)
            assert_true(ms == rows[i].ms);
    }
}

static void what_is_formatted_reads_back(void **state)
{
    (void)state;
    static const int64_t values[] = {0,       1,        1023,  1024,  1025, 1 << 20,
                                     3 << 20, 86400000, 60000, 90000, 1500, INT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        char text[32];
        int64_t value = -1;
        units_format_size(text, values[i]);
        assert_true(units_parse_size(&value, text) && value == values[i]);
        units_format_duration(text, values[i]);
        assert_true(units_parse_duration(&value, text) && value == values[i]);
    }
    char text[32];
    units_format_size(text, INT64_C(5) << 30);
    assert_string_equal(text, "5GiB");
    units_format_duration(text, 90000);
    assert_string_equal(text, "90s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_exact_or_refused),
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(what_is_formatted_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

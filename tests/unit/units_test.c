/* SPDX-License-Identifier: MIT */
#include "conf/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/strv.h"

static void sizes_are_exact_or_refused(void **state)
{
    auto_free char *data = NULL;
    auto_strv struct strv rows = {0};
    struct err e;
    size_t tried = 0;

    (void)state;
    assert_int_equal(fs_read(&data, NULL, "tests/data/sizes", 1 << 16, &e), 0);
    strv_split(&rows, data, "\n");
    for (size_t i = 0; i < rows.count; i++) {
        char *tab = strchr(rows.items[i], '\t');
        int64_t bytes = -1;

        if (!tab)
            continue;
        *tab = '\0';
        assert_int_equal(units_parse_size(&bytes, rows.items[i]), tab[1] != '-');
        assert_true(tab[1] == '-' || bytes == strtoll(tab + 1, NULL, 10));
        tried++;
    }
    assert_true(tried > 30);
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

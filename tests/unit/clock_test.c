/* SPDX-License-Identifier: MIT */
// wrap: clock_now_ms
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"

int64_t __wrap_clock_now_ms(void);

static int64_t *now_value(void)
{
    static int64_t now;

    return &now;
}

int64_t __wrap_clock_now_ms(void)
{
    return *now_value();
}

static void a_deadline_comes_nearer_and_passes(void **state)
{
    (void)state;
    *now_value() = 1000;
    int64_t deadline = clock_deadline(500);
    assert_int_equal(deadline, 1500);
    assert_int_equal(clock_left_ms(deadline), 500);
    assert_false(clock_passed(deadline));
    *now_value() = 1500;
    assert_int_equal(clock_left_ms(deadline), 0);
    assert_true(clock_passed(deadline));
    *now_value() = 9999;
    assert_int_equal(clock_left_ms(deadline), 0);
}

static void never_never_passes(void **state)
{
    (void)state;
    *now_value() = 1000;
    assert_true(clock_deadline(CLOCK_NEVER) == CLOCK_NEVER);
    assert_true(clock_deadline(CLOCK_NEVER - 500) == CLOCK_NEVER);
    assert_true(clock_left_ms(CLOCK_NEVER) == CLOCK_NEVER);
    assert_false(clock_passed(CLOCK_NEVER));
    assert_int_equal(clock_deadline(-5), 1000);
}

static void back_off_doubles_up_to_its_maximum(void **state)
{
    static const int64_t most[] = {100, 200, 400, 800, 1000, 1000};
    bool high[6] = {false};

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct clock_backoff b = {.first_ms = 100, .max_ms = 1000};

        for (size_t i = 0; i < 6; i++) {
            int64_t ms = clock_backoff_next(&b);

            assert_in_range(ms, 1, most[i]);
            high[i] = high[i] || ms > most[i] / 2;
        }
    }
    for (size_t i = 0; i < 6; i++)
        assert_true(high[i]);
}

static void back_off_of_a_very_long_outage_stays_in_range(void **state)
{
    struct clock_backoff b = {.first_ms = 100, .max_ms = 30000, .tries = 4000000000u};

    (void)state;
    assert_in_range(clock_backoff_next(&b), 1, 30000);
}

static void wall_time_is_printed_as_utc(void **state)
{
    char text[32];

    (void)state;
    clock_format(text, 0);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    clock_format(text, 1769903999123);
    assert_string_equal(text, "2026-01-31T23:59:59.123Z");
    clock_format(text, -1);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    clock_format(text, INT64_MAX);
    clock_format(text, INT64_MIN);
}

static void spans_are_for_people(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{-5, "0 ms"},     {999, "999 ms"},   {1000, "1 s"},
                {59999, "59 s"},  {60000, "1 min"},  {3599999, "59 min"},
                {7200000, "2 h"}, {86400000, "1 d"}, {864000000, "10 d"}};
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        clock_format_span(text, rows[i].ms);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_comes_nearer_and_passes),
        cmocka_unit_test(never_never_passes),
        cmocka_unit_test(back_off_doubles_up_to_its_maximum),
        cmocka_unit_test(back_off_of_a_very_long_outage_stays_in_range),
        cmocka_unit_test(wall_time_is_printed_as_utc),
        cmocka_unit_test(spans_are_for_people),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

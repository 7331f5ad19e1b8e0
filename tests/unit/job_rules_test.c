/* SPDX-License-Identifier: MIT */
#include "controller/job_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

static int64_t at(const char *text)
{
    int64_t ms;

    if (!clock_parse(&ms, text))
        fail_msg("%s is not a time", text);
    return ms;
}

static void without_a_line_nothing_is_ever_due(void **state)
{
    struct job_schedule s = {0};

    (void)state;
    assert_int_equal(job_due(&s, 0, at("2026-11-30T03:00:00.000Z")), 0);
    assert_int_equal(job_next(&s, at("2026-11-30T03:00:00.000Z")), 0);
}

static void null_switches_it_off(void **state)
{
    struct job_schedule s = {0};
    int64_t now = at("2026-11-30T03:00:00.000Z");

    (void)state;
    assert_true(job_schedule_set(&s, "* * * * *"));
    assert_int_equal(job_due(&s, now - MINUTE, now), now);
    assert_true(job_schedule_set(&s, "null"));
    assert_int_equal(job_due(&s, now - MINUTE, now), 0);
    assert_false(job_schedule_set(&s, NULL));
    assert_true(job_schedule_set(&s, "@daily"));
    assert_false(job_schedule_set(&s, "@daily"));
    job_schedule_clear(&s);
}

static void a_bad_line_is_told_and_the_one_before_stays(void **state)
{
    struct job_schedule s = {0};
    int64_t now = at("2026-11-30T03:00:00.000Z");

    (void)state;
    assert_true(job_schedule_set(&s, "0 3 * * *"));
    assert_false(job_schedule_set(&s, "0 25 * * *"));
    assert_non_null(strstr(s.problem, "\"0 25 * * *\" is not a schedule: the hour \"25\""));
    assert_string_equal(s.line, "0 3 * * *");
    assert_int_equal(job_due(&s, now - MINUTE, now), now);
    assert_false(job_schedule_set(&s, "0 3 * * *"));
    assert_null(s.problem);
    job_schedule_clear(&s);
}

static void each_time_comes_once(void **state)
{
    struct job_schedule s = {0};
    int64_t three = at("2026-11-30T03:00:00.000Z");

    (void)state;
    job_schedule_set(&s, "0 3 * * *");
    assert_int_equal(job_due(&s, three - 10 * MINUTE, three - 1), 0);
    assert_int_equal(job_due(&s, three - 10 * MINUTE, three), three);
    assert_int_equal(job_due(&s, three - 10 * MINUTE, three + 500), three);
    assert_int_equal(job_due(&s, three + 500, three + 1500), 0);
    assert_int_equal(job_next(&s, three), three + 24 * HOUR);
    job_schedule_clear(&s);
}

static void of_several_missed_only_the_newest_comes(void **state)
{
    struct job_schedule s = {0};
    int64_t three = at("2026-11-30T03:00:00.000Z");

    (void)state;
    job_schedule_set(&s, "*/10 * * * *");
    assert_int_equal(job_due(&s, three - 50 * MINUTE, three + 5 * MINUTE), three);
    job_schedule_clear(&s);
}

static void what_was_missed_for_an_hour_is_left_out(void **state)
{
    struct job_schedule s = {0};
    int64_t three = at("2026-11-30T03:00:00.000Z");

    (void)state;
    job_schedule_set(&s, "0 3 * * *");
    assert_int_equal(job_due(&s, 0, three + HOUR - 1), three);
    assert_int_equal(job_due(&s, 0, three + HOUR), 0);
    job_schedule_clear(&s);
}

static void what_the_last_run_answers_for_is_done(void **state)
{
    struct job_schedule s = {0};
    struct job_last last = {.line = "0 3 * * *", .begun = 1000, .ended = 2000};

    (void)state;
    assert_int_equal(job_done(&s, &last, 9000), 9000); /* never, by now */
    job_schedule_set(&s, "0 3 * * *");
    assert_int_equal(job_done(&s, &last, 9000), 2000);
    last.ended = 0; /* whoever began it was killed */
    assert_int_equal(job_done(&s, &last, 9000), 1000);
    assert_int_equal(job_done(&s, &last, 500), 500); /* the clock was set back */
    last.line = "0 4 * * *";
    assert_int_equal(job_done(&s, &last, 9000), 9000);
    last.line = NULL;
    assert_int_equal(job_done(&s, &last, 9000), 9000);
    job_schedule_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_line_nothing_is_ever_due),
        cmocka_unit_test(null_switches_it_off),
        cmocka_unit_test(a_bad_line_is_told_and_the_one_before_stays),
        cmocka_unit_test(each_time_comes_once),
        cmocka_unit_test(of_several_missed_only_the_newest_comes),
        cmocka_unit_test(what_the_last_run_answers_for_is_done),
        cmocka_unit_test(what_was_missed_for_an_hour_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

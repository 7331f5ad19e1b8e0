/* SPDX-License-Identifier: MIT */
#include "conf/crontab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"

static struct crontab line(const char *text)
{
    struct crontab c;
    struct err e;

    if (crontab_parse(&c, text, &e) < 0)
        fail_msg("%s: %s", text, e.msg);
    return c;
}

/* "2026-01-31 23:59:59" */
static int64_t at(const char *text)
{
    auto_free char *whole = mem_printf("%.10sT%s.000Z", text, text + 11);
    int64_t ms;

    if (!clock_parse(&ms, whole))
        fail_msg("%s is not a time", text);
    return ms;
}

static void the_next_time_is_the_first_one_after(void **state)
{
    static const struct {
        const char *line, *after, *next;
    } rows[] = {
        {"* * * * *", "2026-11-30 08:59:59", "2026-11-30 09:00:00"},
        {"* * * * *", "2026-11-30 09:00:00", "2026-11-30 09:01:00"},
        {"0 3 * * *", "2026-11-30 02:59:59", "2026-11-30 03:00:00"},
        {"0 3 * * *", "2026-11-30 03:00:00", "2026-12-01 03:00:00"},
        {"0 3 * * *", "2026-12-31 04:00:00", "2027-01-01 03:00:00"},
        {"*/15 * * * *", "2026-11-30 09:31:00", "2026-11-30 09:45:00"},
        {"10-50/20 * * * *", "2026-11-30 09:31:00", "2026-11-30 09:50:00"},
        {"10-50/20 * * * *", "2026-11-30 09:50:00", "2026-11-30 10:10:00"},
        {"5,1-2,59 * * * *", "2026-11-30 09:02:00", "2026-11-30 09:05:00"},
        {"30 8-17/3 * * *", "2026-11-30 15:00:00", "2026-11-30 17:30:00"},
        {"30 8-17/3 * * *", "2026-11-30 17:30:00", "2026-12-01 08:30:00"},
        {"0 0 1 jan *", "2026-11-30 09:00:00", "2027-01-01 00:00:00"},
        {"0 0 1 JAN,Jul *", "2027-01-01 00:00:00", "2027-07-01 00:00:00"},
        {"0 0 * * mon", "2026-11-30 00:00:00", "2026-12-07 00:00:00"}, /* which is a Monday */
        {"0 0 * * 7", "2026-11-30 00:00:00", "2026-12-06 00:00:00"},
        {"0 0 * * 0", "2026-11-30 00:00:00", "2026-12-06 00:00:00"},
        {"0 0 * * fri-sun", "2026-11-30 00:00:00", "2026-12-04 00:00:00"},
        {"0 0 * * sun-sun", "2026-11-30 00:00:00", "2026-12-06 00:00:00"},
        {"0 0 * * 0-0", "2026-12-06 00:00:00", "2026-12-13 00:00:00"},
        {"0 0 * * fri-sun", "2026-12-05 00:00:00", "2026-12-06 00:00:00"},
        {"0 0 * * fri-sun", "2026-12-06 00:00:00", "2026-12-11 00:00:00"},
        {"0 0 31 * *", "2026-11-30 09:00:00", "2026-12-31 00:00:00"},
        {"0 0 31 * *", "2027-01-31 00:00:00", "2027-03-31 00:00:00"},
        /* Either of two days, when both are restricted; */
        {"0 0 13 * fri", "2026-11-30 00:00:00", "2026-12-04 00:00:00"},
        {"0 0 13 * fri", "2026-12-11 00:00:00", "2026-12-13 00:00:00"},
        /* and both of them, when one begins with a star. */
        {"0 0 */2 * fri", "2026-11-30 00:00:00", "2026-12-11 00:00:00"},
        {"0 0 13 * *", "2026-11-30 00:00:00", "2026-12-13 00:00:00"},
        /* 29 February, which 2100 does not have; on a Sunday not between 2076 and 2104. */
        {"0 0 29 2 *", "2026-11-30 00:00:00", "2028-02-29 00:00:00"},
        {"0 0 29 2 *", "2096-02-29 00:00:00", "2104-02-29 00:00:00"},
        {"0 0 29 feb */7", "2072-03-01 00:00:00", "2088-02-29 00:00:00"},
        {"59 23 31 12 *", "2026-12-31 23:59:00", "2027-12-31 23:59:00"},
        /* The night in which clocks are set forward and back has each hour once. */
        {"30 2 * * *", "2026-03-29 00:00:00", "2026-03-29 02:30:00"},
        {"30 2 * * *", "2026-10-25 02:30:00", "2026-10-26 02:30:00"},
        {"@hourly", "2026-11-30 09:00:00", "2026-11-30 10:00:00"},
        {"@daily", "2026-11-30 09:00:00", "2026-12-01 00:00:00"},
        {"@weekly", "2026-11-30 09:00:00", "2026-12-06 00:00:00"},
        {"@monthly", "2026-11-30 09:00:00", "2026-12-01 00:00:00"},
        {"@yearly", "2026-11-30 09:00:00", "2027-01-01 00:00:00"},
        {" 0\t3 *  * * ", "2026-11-30 02:00:00", "2026-11-30 03:00:00"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct crontab c = line(rows[i].line);
        char got[32], want[32];

        clock_format(got, crontab_next(&c, at(rows[i].after)));
        clock_format(want, at(rows[i].next));
        if (strcmp(got, want) != 0)
            fail_msg("%s after %s: %s, not %s", rows[i].line, rows[i].after, got, want);
    }
}

static void what_is_not_a_schedule_is_refused_in_a_sentence(void **state)
{
    static const char five[] = "not the five minute, hour, day, month and weekday";
    static const struct {
        const char *line, *why;
    } rows[] = {
        {"", five},
        {"   ", five},
        {"* * * *", "it has 4 fields, "},
        {"* * * * * *", "it has 6 fields, "},
        {"60 * * * *", "the minute \"60\" is not one: 0 to 59 are allowed"},
        {"-1 * * * *", "the minute \"-1\""},
        {"* 24 * * *", "the hour \"24\""},
        {"* * 0 * *", "the day \"0\""},
        {"* * 32 * *", "the day \"32\""},
        {"* * * 13 *", "the month \"13\" is not one: 1 to 12 or its first letters are allowed"},
        {"* * * 0 *", "the month \"0\""},
        {"* * * january *", "the month \"january\""},
        {"* * * * 8", "the weekday \"8\""},
        {"* * * * sunday", "the weekday \"sunday\""},
        {"mon * * * *", "the minute \"mon\""},
        {"5-1 * * * *", "the minute \"5-1\""},
        {"1- * * * *", "the minute \"1-\""},
        {"1-2-3 * * * *", "the minute \"1-2-3\""},
        {"1,,2 * * * *", "the minute \"\""},
        {", * * * *", "the minute \"\""},
        {"*/0 * * * *", "the minute \"*/0\""},
        {"*/60 * * * *", "the minute \"*/60\""},
        {"*/ * * * *", "the minute \"*/\""},
        {"* * * */jan *", "the month \"*/jan\""},
        {"5/2 * * * *", "the minute \"5/2\""},
        {"** * * * *", "the minute \"**\""},
        {"00005 * * * *", "the minute \"00005\""},
        {"4294967296 * * * *", "the minute \"4294967296\""},
        {"* * 31 2 *", "no month of it has that day"},
        {"* * 30,31 feb *", "no month of it has that day"},
        {"* * 31 2,4,6,9,11 *", "no month of it has that day"},
        {"@reboot", "of the words there are @hourly, "},
        {"@daily ", "of the words there are @hourly, "},
        {"@", "of the words there are @hourly, "},
        {"0 3 * * *\n", "one line of at most 500 plain characters"},
        {"0 3 * * \xc3\xa4", "one line of at most 500 plain characters"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct crontab c;
        struct err e;

        if (crontab_parse(&c, rows[i].line, &e) == 0)
            fail_msg("%s was taken", rows[i].line);
        if (!strstr(e.msg, rows[i].why))
            fail_msg("%s: %s", rows[i].line, e.msg);
        assert_int_equal(e.code, ERR_CONFIG);
    }
}

static void a_line_has_a_longest(void **state)
{
    char text[502];
    struct crontab c;
    struct err e;

    (void)state;
    memset(text, ' ', sizeof(text));
    memcpy(text, "0 3 * * *", 9);
    text[500] = '\0';
    assert_int_equal(crontab_parse(&c, text, &e), 0);
    text[500] = ' ';
    text[501] = '\0';
    assert_int_equal(crontab_parse(&c, text, &e), -1);
}

static void the_31st_is_taken_where_one_of_the_months_has_it(void **state)
{
    struct crontab c = line("0 0 31 2,3 *");

    (void)state;
    assert_int_equal(crontab_next(&c, at("2026-01-01 00:00:00")), at("2026-03-31 00:00:00"));
}

static void the_newest_of_those_missed_is_found(void **state)
{
    struct crontab c = line("*/20 * * * *");
    int64_t nine = at("2026-11-30 09:00:00"), minute = 60000;

    (void)state;
    assert_int_equal(crontab_newest(&c, nine, nine + 45 * minute), nine + 40 * minute);
    assert_int_equal(crontab_newest(&c, nine, nine + 40 * minute), nine + 40 * minute);
    assert_int_equal(crontab_newest(&c, nine, nine + 40 * minute - 1), nine + 20 * minute);
    assert_int_equal(crontab_newest(&c, nine, nine + 19 * minute), 0);
    assert_int_equal(crontab_newest(&c, nine, nine), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_time_is_the_first_one_after),
        cmocka_unit_test(what_is_not_a_schedule_is_refused_in_a_sentence),
        cmocka_unit_test(a_line_has_a_longest),
        cmocka_unit_test(the_31st_is_taken_where_one_of_the_months_has_it),
        cmocka_unit_test(the_newest_of_those_missed_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "volumes/automatic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static int64_t at(const char *text)
{
    int64_t ms;

    if (!clock_parse(&ms, text))
        fail_msg("%s is not a time", text);
    return ms;
}

static void add(struct strv *v, int64_t time)
{
    char name[AUTOMATIC_NAME_SIZE];

    automatic_name(name, time);
    strv_add(v, name);
}

/* Deletes what is old, as the job does it. */
static void thin_out(struct strv *all, const struct automatic_keep *k)
{
    auto_strv struct strv gone = {0};
    struct strv left = {0};

    automatic_old(&gone, all, k, INT64_MAX);
    for (size_t i = 0; i < all->count; i++)
        if (!strv_has(&gone, all->items[i]))
            strv_add(&left, all->items[i]);
    assert_int_equal(left.count + gone.count, all->count);
    strv_clear(all);
    *all = left;
}

/* What goes of these, with spaces between; owned. */
static char *old(const struct strv *snapshots, struct automatic_keep k)
{
    auto_strv struct strv out = {0};

    automatic_old(&out, snapshots, &k, at("2027-01-01T00:00:00.000Z"));
    return strv_join(&out, " ");
}

static void a_name_is_its_minute_and_back(void **state)
{
    char name[AUTOMATIC_NAME_SIZE];
    int64_t time;

    (void)state;
    automatic_name(name, at("2026-11-30T03:07:59.999Z"));
    assert_string_equal(name, "auto-2026-11-30T03-07Z");
    assert_true(automatic_parse(&time, name));
    assert_int_equal(time, at("2026-11-30T03:07:00.000Z"));
}

static void a_name_that_is_only_like_it_is_somebodys(void **state)
{
    static const char *const names[] = {
        "",
        "auto-",
        "monday",
        "auto-monday",
        "auto-2026-11-30T03-00",
        "auto-2026-11-30T03-00z",
        "auto-2026-11-30T03:00Z",
        "auto-2026-11-30T03-00Zx",
        "auto-2026-11-31T03-00Z",
        "auto-2026-13-30T03-00Z",
        "auto-2026-11-30T24-00Z",
        "Auto-2026-11-30T03-00Z",
        "auto-2026-11-30T03-0 Z",
        "auto-2026-11-30T03-60Z",
    };
    int64_t time;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (automatic_parse(&time, names[i]))
            fail_msg("%s was taken", names[i]);
}

static void what_somebody_made_never_goes(void **state)
{
    auto_strv struct strv all = strv_of("monday", "auto-mine", "template", "auto-2026-11-30T03-0Z");
    auto_free char *gone = NULL;

    (void)state;
    add(&all, at("2026-11-30T03:00:00.000Z"));
    add(&all, at("2026-11-30T02:00:00.000Z"));
    gone = old(&all, (struct automatic_keep){.hourly = 1});
    assert_string_equal(gone, "auto-2026-11-30T02-00Z");
}

static void of_an_hour_the_newest_stays(void **state)
{
    auto_strv struct strv all = {0};
    auto_free char *gone = NULL;

    (void)state;
    add(&all, at("2026-11-30T02:59:00.000Z")); /* in any order */
    add(&all, at("2026-11-30T03:40:00.000Z"));
    add(&all, at("2026-11-30T03:20:00.000Z"));
    add(&all, at("2026-11-30T03:00:00.000Z"));
    gone = old(&all, (struct automatic_keep){.hourly = 2});
    assert_string_equal(gone, "auto-2026-11-30T03-00Z auto-2026-11-30T03-20Z");
}

static void hours_without_one_do_not_count(void **state)
{
    auto_strv struct strv all = {0};
    auto_free char *gone = NULL;

    (void)state;
    add(&all, at("2020-01-01T00:00:00.000Z"));
    add(&all, at("2026-11-30T03:00:00.000Z"));
    gone = old(&all, (struct automatic_keep){.hourly = 2});
    assert_string_equal(gone, "");
}

static void a_week_begins_on_monday(void **state)
{
    auto_strv struct strv all = {0};
    auto_free char *gone = NULL;

    (void)state;
    add(&all, at("2026-11-29T23:00:00.000Z")); /* Sunday */
    add(&all, at("2026-11-28T23:00:00.000Z"));
    add(&all, at("2026-11-30T00:00:00.000Z")); /* Monday */
    gone = old(&all, (struct automatic_keep){.weekly = 2});
    assert_string_equal(gone, "auto-2026-11-28T23-00Z");
}

static void none_of_what_there_is_goes_twice(void **state)
{
    auto_strv struct strv none = {0};
    auto_free char *gone = old(&none, (struct automatic_keep){24, 7, 3});

    (void)state;
    assert_string_equal(gone, "");
}

static void without_a_number_nothing_goes(void **state)
{
    auto_strv struct strv all = {0};
    auto_free char *gone = NULL;

    (void)state;
    add(&all, at("2026-11-29T03:00:00.000Z"));
    add(&all, at("2026-11-30T03:00:00.000Z"));
    gone = old(&all, (struct automatic_keep){0});
    assert_string_equal(gone, "");
}

/* They would be the newest for years. */
static void those_of_a_wrong_clock_push_out_nothing(void **state)
{
    auto_strv struct strv all = {0};
    auto_free char *gone = NULL;

    (void)state;
    add(&all, at("2036-01-01T00:00:00.000Z"));
    add(&all, at("2026-11-30T03:00:00.000Z"));
    add(&all, at("2026-11-29T03:00:00.000Z"));
    gone = old(&all, (struct automatic_keep){.hourly = 1});
    assert_string_equal(gone, "auto-2026-11-29T03-00Z");
}

/* Hourly for 60 days, and what is old deleted each time. */
static void hourly_ones_thin_out_to_a_day_a_week_and_three_weeks(void **state)
{
    const struct automatic_keep k = {.hourly = 24, .daily = 7, .weekly = 3};
    auto_strv struct strv all = {0};
    int64_t last = at("2026-11-30T03:00:00.000Z");
    auto_free char *text = NULL;
    auto_strv struct strv early = {0};

    (void)state;
    for (int64_t t = last - INT64_C(60) * DAY; t <= last; t += HOUR) {
        add(&all, t);
        thin_out(&all, &k);
    }
    assert_int_equal(all.count, 24 + 5 + 1); /* two of the days and of the weeks are among them */
    for (size_t i = 0; i < 6; i++)
        strv_add(&early, all.items[i]);
    text = strv_join(&early, " ");
    assert_string_equal(text, "auto-2026-11-22T23-00Z "
                              "auto-2026-11-24T23-00Z auto-2026-11-25T23-00Z "
                              "auto-2026-11-26T23-00Z auto-2026-11-27T23-00Z "
                              "auto-2026-11-28T23-00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_its_minute_and_back),
        cmocka_unit_test(a_name_that_is_only_like_it_is_somebodys),
        cmocka_unit_test(what_somebody_made_never_goes),
        cmocka_unit_test(of_an_hour_the_newest_stays),
        cmocka_unit_test(hours_without_one_do_not_count),
        cmocka_unit_test(a_week_begins_on_monday),
        cmocka_unit_test(none_of_what_there_is_goes_twice),
        cmocka_unit_test(without_a_number_nothing_goes),
        cmocka_unit_test(those_of_a_wrong_clock_push_out_nothing),
        cmocka_unit_test(hourly_ones_thin_out_to_a_day_a_week_and_three_weeks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

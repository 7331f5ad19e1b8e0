/* SPDX-License-Identifier: MIT */
#include "controller/keep_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, START = 1000 * MINUTE };

static const struct keep_seen well = {.ok = true}, dead = {.dead = true};

static void one_that_is_well_is_left_alone(void **state)
{
    struct keep_record r = {0};

    (void)state;
    assert_int_equal(keep_decide(&r, &well, START), KEEP_ACT_NONE);
    assert_int_equal(r.state, KEEP_STATE_FINE);
}

static void the_first_try_is_at_once_and_each_later_one_waits_longer(void **state)
{
    static const int waits[] = {5, 10, 20, 40, 80, 160, 300, 300, 300};
    struct keep_record r = {0};
    int64_t now = START;

    (void)state;
    assert_int_equal(keep_decide(&r, &dead, now), KEEP_ACT_MEND);
    for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
        keep_tried(&r, now);
        now += waits[i] * SECOND - 1;
        assert_int_equal(keep_decide(&r, &dead, now), KEEP_ACT_NONE);
        assert_int_equal(r.state, i < KEEP_LOOP_DEATHS ? KEEP_STATE_WAITING : KEEP_STATE_LOOP);
        now++;
        assert_int_equal(keep_decide(&r, &dead, now), KEEP_ACT_MEND);
    }
}

static void ten_healthy_minutes_are_a_new_beginning_and_fewer_are_not(void **state)
{
    struct keep_record r = {0};
    int64_t now = START;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(keep_decide(&r, &dead, now), KEEP_ACT_MEND);
        keep_tried(&r, now);
        now = r.next;
    }
    assert_int_equal(keep_decide(&r, &well, now), KEEP_ACT_NONE);
    now += 10 * MINUTE - 1;
    assert_int_equal(keep_decide(&r, &well, now), KEEP_ACT_NONE);
    assert_int_equal(r.tries, 2);
    assert_int_equal(keep_decide(&r, &dead, now), KEEP_ACT_MEND);
    keep_tried(&r, now);
    assert_int_equal(r.next, now + 20 * SECOND);
    assert_int_equal(keep_decide(&r, &well, now), KEEP_ACT_NONE);
    now += 10 * MINUTE;
    assert_int_equal(keep_decide(&r, &well, now), KEEP_ACT_NONE);
    assert_int_equal(r.tries + r.deaths, 0);
}

static void what_docker_starts_again_and_again_is_a_crash_loop_too(void **state)
{
    struct keep_record r = {0};
    struct keep_seen s = {.crashes = 7};

    (void)state;
    assert_int_equal(keep_decide(&r, &s, START), KEEP_ACT_NONE);
    assert_int_equal(r.state, KEEP_STATE_FINE); /* what was before nobody saw */
    s.crashes += KEEP_LOOP_DEATHS;
    assert_int_equal(keep_decide(&r, &s, START + 1), KEEP_ACT_NONE);
    assert_int_equal(r.state, KEEP_STATE_FINE);
    s.crashes++;
    assert_int_equal(keep_decide(&r, &s, START + 2), KEEP_ACT_NONE);
    assert_int_equal(r.state, KEEP_STATE_LOOP);
    s = (struct keep_seen){.ok = true}; /* a new container, and well, for now */
    assert_int_equal(keep_decide(&r, &s, START + 3), KEEP_ACT_NONE);
    assert_int_equal(r.state, KEEP_STATE_LOOP);
    assert_int_equal(keep_decide(&r, &s, START + 3 + KEEP_STEADY_MS), KEEP_ACT_NONE);
    assert_int_equal(r.state, KEEP_STATE_FINE);
}

static void what_somebody_holds_is_watched_and_not_touched(void **state)
{
    struct keep_record r = {0};
    struct keep_seen held = dead;

    (void)state;
    assert_int_equal(keep_decide(&r, &dead, START), KEEP_ACT_MEND);
    for (int i = 0; i < 5; i++)
        keep_tried(&r, START);
    held.paused = true;
    assert_int_equal(keep_decide(&r, &held, START + 60 * MINUTE), KEEP_ACT_NONE);
    assert_int_equal(r.state, KEEP_STATE_LOOP);
    held = dead;
    held.stopped = true;
    assert_int_equal(keep_decide(&r, &held, START + 1), KEEP_ACT_NONE);
    assert_int_equal(r.state, KEEP_STATE_FINE);
    /* Let go, it starts from the beginning: nobody has to wait. */
    assert_int_equal(keep_decide(&r, &dead, START + 2), KEEP_ACT_MEND);
    keep_tried(&r, START + 2);
    assert_int_equal(r.next, START + 2 + 5 * SECOND);
}

static void what_only_does_not_report_is_not_dead(void **state)
{
    const struct keep_seen silent = {.silent = true};
    struct keep_record r = {0};

    (void)state;
    assert_int_equal(keep_decide(&r, &silent, START), KEEP_ACT_NONE);
    assert_int_equal(keep_decide(&r, &silent, START + KEEP_SILENT_MS - 1), KEEP_ACT_NONE);
    assert_int_equal(keep_decide(&r, &silent, START + KEEP_SILENT_MS), KEEP_ACT_MEND);
}

static void one_that_stays_unhealthy_is_restarted_but_not_with_its_data(void **state)
{
    struct keep_seen s = {.unhealthy = true};
    struct keep_record r = {0};

    (void)state;
    assert_int_equal(keep_decide(&r, &s, START), KEEP_ACT_NONE);
    assert_int_equal(keep_decide(&r, &s, START + KEEP_UNHEALTHY_MS - 1), KEEP_ACT_NONE);
    assert_int_equal(keep_decide(&r, &s, START + KEEP_UNHEALTHY_MS), KEEP_ACT_RESTART);
    s.is_needed = true;
    assert_int_equal(keep_decide(&r, &s, START + KEEP_UNHEALTHY_MS), KEEP_ACT_NONE);
    assert_int_equal(r.state, KEEP_STATE_LEFT);
    /* Well for a moment: it is counted from then on. */
    assert_int_equal(keep_decide(&r, &well, START + 2 * MINUTE), KEEP_ACT_NONE);
    s.is_needed = false;
    assert_int_equal(keep_decide(&r, &s, START + 2 * MINUTE), KEEP_ACT_NONE);
}

static void what_lost_its_place_is_mended_although_it_runs(void **state)
{
    const struct keep_seen drifted = {.ok = true, .drifted = true};
    struct keep_record r = {0};

    (void)state;
    assert_int_equal(keep_decide(&r, &drifted, START), KEEP_ACT_MEND);
}

static void what_could_not_be_tried_costs_no_try(void **state)
{
    struct keep_record r = {0};

    (void)state;
    assert_int_equal(keep_decide(&r, &dead, START), KEEP_ACT_MEND);
    keep_put_off(&r, START, 2 * SECOND);
    assert_int_equal(keep_decide(&r, &dead, START + SECOND), KEEP_ACT_NONE);
    assert_int_equal(keep_decide(&r, &dead, START + 2 * SECOND), KEEP_ACT_MEND);
    assert_int_equal(r.tries, 0);
    assert_string_equal(keep_state_name(KEEP_STATE_LOOP), "crash loop");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_well_is_left_alone),
        cmocka_unit_test(the_first_try_is_at_once_and_each_later_one_waits_longer),
        cmocka_unit_test(ten_healthy_minutes_are_a_new_beginning_and_fewer_are_not),
        cmocka_unit_test(what_docker_starts_again_and_again_is_a_crash_loop_too),
        cmocka_unit_test(what_somebody_holds_is_watched_and_not_touched),
        cmocka_unit_test(what_only_does_not_report_is_not_dead),
        cmocka_unit_test(one_that_stays_unhealthy_is_restarted_but_not_with_its_data),
        cmocka_unit_test(what_lost_its_place_is_mended_although_it_runs),
        cmocka_unit_test(what_could_not_be_tried_costs_no_try),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>

#include "base/mem.h"
#include "base/proc.h"
#include "base/until.h"

static bool is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

static void zero_waits_for_ever_and_nobody_cancels_it(void **state)
{
    struct until u = {0};
    struct err e = {0};

    (void)state;
    assert_false(until_passed(u));
    assert_true(until_left_ms(u) == CLOCK_NEVER);
    assert_false(until_is_cancelled(u));
    assert_int_equal(until_fd(u), -1);
    assert_int_equal(until_poll_ms(u, 60000), 60000);
    assert_int_equal(until_check_wait(u, "nothing came", &e), 0);
}

static void the_earlier_of_two_deadlines_counts(void **state)
{
    struct until u = until_in(1000, NULL);

    (void)state;
    assert_true(until_before(u, u.deadline - 1).deadline == u.deadline - 1);
    assert_true(until_before(u, u.deadline + 1).deadline == u.deadline);
    assert_true(until_before(u, 0).deadline == u.deadline);
    assert_true(until_before((struct until){0}, 5).deadline == 5);
    assert_in_range(until_left_ms(until_within(u, 300)), 1, 300);
    assert_in_range(until_left_ms(until_within(u, 5000)), 1, 1000);
    assert_true(until_left_ms(until_no_deadline(u)) == CLOCK_NEVER);
}

static void the_first_cancel_ends_waits_and_the_second_one_calls(void **state)
{
    struct cancel c;
    struct until u = {.cancel = &c};
    struct err e = {0};

    (void)state;
    cancel_init(&c);
    assert_int_equal(until_check_wait(u, "nothing came", &e), 0);
    assert_int_equal(cancel_raise(&c), 1);
    assert_true(until_is_cancelled(u));
    assert_false(until_is_aborted(u));
    assert_int_equal(until_check(u, "nothing came", &e), 0);
    assert_int_equal(until_check_wait(u, "nothing came", &e), -1);
    assert_int_equal(e.code, ERR_INTERRUPTED);
    assert_int_equal(cancel_raise(&c), 2);
    assert_int_equal(until_check(u, "nothing came", &e), -1);
    assert_int_equal(e.code, ERR_INTERRUPTED);
    cancel_clear(&c);
}

static void a_passed_deadline_says_what_did_not_happen(void **state)
{
    struct until u = until_in(0, NULL);
    struct err e = {0};

    (void)state;
    assert_true(until_passed(u));
    assert_int_equal(until_check(u, "Docker did not answer", &e), -1);
    assert_int_equal(e.code, ERR_TIMEOUT);
    assert_string_equal(e.msg, "Docker did not answer before the deadline");
}

static void the_descriptor_wakes_at_the_next_cancel_only(void **state)
{
    struct cancel c;
    struct until u = {.cancel = &c};

    (void)state;
    cancel_init(&c);
    assert_false(is_readable(until_fd(u)));
    int first = until_fd(u);
    cancel_raise(&c);
    assert_true(is_readable(first));
    assert_false(is_readable(until_fd(u)));
    int second = until_fd(u);
    cancel_raise(&c);
    assert_true(is_readable(second));
    assert_int_equal(until_fd(u), -1);
    cancel_clear(&c);
}

static void a_cancel_is_set_aside_and_put_back(void **state)
{
    struct cancel c;
    struct until u = {.cancel = &c};

    (void)state;
    cancel_init(&c);
    cancel_raise(&c);
    cancel_raise(&c);
    assert_int_equal(cancel_set_aside(&c), 2);
    assert_false(until_is_cancelled(u));
    assert_false(is_readable(until_fd(u)));
    cancel_raise(&c);
    assert_false(until_is_aborted(u));
    cancel_put_back(&c, 2);
    assert_int_equal(cancel_count(&c), 3);
    assert_true(until_is_aborted(u));
    cancel_clear(&c);
}

static void *raise_soon(void *arg)
{
    clock_sleep_ms(50);
    cancel_raise(arg);
    return NULL;
}

static void a_cancel_ends_a_sleep_at_once(void **state)
{
    struct cancel c;
    int64_t begin = clock_now_ms();
    pthread_t thread;

    (void)state;
    cancel_init(&c);
    assert_int_equal(pthread_create(&thread, NULL, raise_soon, &c), 0);
    until_sleep_ms((struct until){.cancel = &c}, 20000);
    assert_in_range(clock_now_ms() - begin, 50, 10000);
    pthread_join(thread, NULL);
    cancel_clear(&c);
}

static void without_descriptors_a_cancel_ends_a_sleep_soon(void **state)
{
    struct cancel c = {.fds = {-1, -1}};
    int64_t begin = clock_now_ms();
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, raise_soon, &c), 0);
    until_sleep_ms((struct until){.cancel = &c}, 20000);
    assert_in_range(clock_now_ms() - begin, 50, 10000);
    pthread_join(thread, NULL);
}

static void a_sleep_ends_at_the_deadline(void **state)
{
    struct cancel c;
    int64_t begin = clock_now_ms();

    (void)state;
    cancel_init(&c);
    until_sleep_ms(until_in(60, &c), 20000);
    until_sleep_ms(until_in(60, NULL), 20000);
    assert_in_range(clock_now_ms() - begin, 120, 10000);
    until_sleep_ms((struct until){.cancel = &c}, 30);
    assert_in_range(clock_now_ms() - begin, 150, 10000);
    cancel_clear(&c);
}

static void *abort_soon(void *arg)
{
    clock_sleep_ms(50);
    cancel_raise(arg);
    cancel_raise(arg);
    return NULL;
}

static void an_abort_kills_a_program(void **state)
{
    static const char *const argv[] = {"sleep", "30", NULL};
    struct cancel c;
    struct proc_opts o = {.argv = argv, .deadline = clock_deadline(20000), .cancel = &c};
    int64_t begin = clock_now_ms();
    struct err e = {0};
    pthread_t thread;
    int status;

    (void)state;
    cancel_init(&c);
    assert_int_equal(pthread_create(&thread, NULL, abort_soon, &c), 0);
    assert_int_equal(proc_run(&status, &o, &e), -1);
    assert_int_equal(e.code, ERR_INTERRUPTED);
    assert_in_range(clock_now_ms() - begin, 50, 10000);
    pthread_join(thread, NULL);
    cancel_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_waits_for_ever_and_nobody_cancels_it),
        cmocka_unit_test(the_earlier_of_two_deadlines_counts),
        cmocka_unit_test(the_first_cancel_ends_waits_and_the_second_one_calls),
        cmocka_unit_test(a_passed_deadline_says_what_did_not_happen),
        cmocka_unit_test(the_descriptor_wakes_at_the_next_cancel_only),
        cmocka_unit_test(a_cancel_is_set_aside_and_put_back),
        cmocka_unit_test(a_cancel_ends_a_sleep_at_once),
        cmocka_unit_test(without_descriptors_a_cancel_ends_a_sleep_soon),
        cmocka_unit_test(a_sleep_ends_at_the_deadline),
        cmocka_unit_test(an_abort_kills_a_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

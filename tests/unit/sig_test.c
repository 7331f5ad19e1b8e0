/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sig.h"

static void interrupts_are_counted_and_end_nothing(void **state)
{
    (void)state;
    sig_setup();
    cancel_set_aside(sig_cancel());
    assert_int_equal(sig_interrupts(), 0);
    raise(SIGINT);
    assert_int_equal(sig_interrupts(), 1);
    raise(SIGTERM);
    assert_int_equal(sig_interrupts(), 2);
}

static void a_closed_terminal_is_one_interrupt(void **state)
{
    (void)state;
    sig_setup();
    cancel_set_aside(sig_cancel());
    signal(SIGHUP, SIG_IGN);
    sig_add_hangup();
    raise(SIGHUP);
    assert_int_equal(sig_interrupts(), 0);
    signal(SIGHUP, SIG_DFL);
    sig_add_hangup();
    raise(SIGHUP);
    raise(SIGHUP);
    assert_int_equal(sig_interrupts(), 1);
    raise(SIGINT);
    assert_int_equal(sig_interrupts(), 2);
}

static void the_third_interrupt_ends_the_process(void **state)
{
    pid_t child;
    int status;

    (void)state;
    sig_setup();
    cancel_set_aside(sig_cancel());
    child = fork();
    if (child == 0) {
        for (int i = 0; i < 3; i++)
            raise(SIGINT);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 130);
}

static void a_broken_pipe_is_an_error_and_no_end(void **state)
{
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    assert_int_equal(write(fds[1], "x", 1), -1);
    close(fds[1]);
}

static void an_interrupt_ends_a_sleep_that_is_told_of_it(void **state)
{
    struct itimerval soon = {.it_value = {.tv_usec = 50000}};
    int64_t begin = clock_now_ms();

    (void)state;
    /* The timer's own signal stands for Ctrl-C at a moment of our choice. */
    struct sigaction interrupt;
    cancel_set_aside(sig_cancel());
    sigaction(SIGINT, NULL, &interrupt);
    sigaction(SIGALRM, &interrupt, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    until_sleep_ms((struct until){.cancel = sig_cancel()}, 20000);
    assert_in_range(clock_now_ms() - begin, 0, 10000);
}

static void ignore(int number)
{
    (void)number;
}

static void another_signal_does_not_cut_a_sleep_short(void **state)
{
    struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    struct sigaction act = {.sa_handler = ignore};
    int64_t begin = clock_now_ms();

    (void)state;
    sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    clock_sleep_ms(200);
    assert_in_range(clock_now_ms() - begin, 199, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupts_are_counted_and_end_nothing),
        cmocka_unit_test(a_closed_terminal_is_one_interrupt),
        cmocka_unit_test(the_third_interrupt_ends_the_process),
        cmocka_unit_test(a_broken_pipe_is_an_error_and_no_end),
        cmocka_unit_test(an_interrupt_ends_a_sleep_that_is_told_of_it),
        cmocka_unit_test(another_signal_does_not_cut_a_sleep_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

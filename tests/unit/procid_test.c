/* SPDX-License-Identifier: MIT */
#include "base/procid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BEFORE " S 1 2 3 4 5 64 7 8 9 10 11 12 13 14 15 16 3 18 "

static void a_stat_is_read_whatever_the_name_of_the_program(void **state)
{
    struct procid_stat s;

    (void)state;
    assert_int_equal(procid_parse_stat(&s, "12 (a) Z 1) (b)" BEFORE "12345 9 9\n"), 0);
    assert_int_equal(s.state, 'S');
    assert_int_equal(s.flags, 64);
    assert_int_equal(s.threads, 3);
    assert_int_equal(s.start, 12345);
}

static void what_is_no_stat_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "12", "12 (a)", "12 (a) S 1 2", ("12 (a)" BEFORE), "12 (a) S 1 x 3 4 5 6",
    };
    struct procid_stat s;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        assert_int_equal(procid_parse_stat(&s, texts[i]), -1);
}

static void this_process_is_alive(void **state)
{
    struct procid self;

    (void)state;
    procid_self(&self);
    assert_true(self.start > 0 && *self.boot && *self.namespaces);
    assert_int_equal(procid_look(&self), PROCID_ALIVE);
}

static void the_process_of_a_number_that_was_used_again_is_gone(void **state)
{
    struct procid p;

    (void)state;
    procid_self(&p);
    p.start--;
    assert_int_equal(procid_look(&p), PROCID_GONE);
}

static void what_says_too_little_is_unknown(void **state)
{
    struct procid p;

    (void)state;
    procid_self(&p);
    p.start = 0;
    assert_int_equal(procid_look(&p), PROCID_UNKNOWN);
    procid_self(&p);
    p.namespaces[0] = '\0';
    assert_int_equal(procid_look(&p), PROCID_UNKNOWN);
    procid_self(&p);
    p.boot[0] = '\0';
    assert_int_equal(procid_look(&p), PROCID_UNKNOWN);
    procid_self(&p);
    p.pid = INT64_C(1) << 40;
    assert_int_equal(procid_look(&p), PROCID_UNKNOWN);
}

static void a_process_is_gone_before_its_status_is_fetched_and_after(void **state)
{
    struct procid p;
    siginfo_t ended;
    int fds[2];
    pid_t child;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    child = fork();
    if (child == 0) {
        procid_self(&p);
        _exit(write(fds[1], &p, sizeof(p)) != sizeof(p));
    }
    assert_int_equal(read(fds[0], &p, sizeof(p)), sizeof(p));
    assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
    assert_int_equal(procid_look(&p), PROCID_GONE);
    waitpid(child, NULL, 0);
    assert_int_equal(procid_look(&p), PROCID_GONE);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stat_is_read_whatever_the_name_of_the_program),
        cmocka_unit_test(what_is_no_stat_is_refused),
        cmocka_unit_test(this_process_is_alive),
        cmocka_unit_test(the_process_of_a_number_that_was_used_again_is_gone),
        cmocka_unit_test(what_says_too_little_is_unknown),
        cmocka_unit_test(a_process_is_gone_before_its_status_is_fetched_and_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

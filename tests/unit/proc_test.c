/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/proc.h"

#define SH(script)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        "sh", "-c", script, NULL                                                                   \
    }

static void output_input_and_status_are_captured(void **state)
{
    auto_buf struct buf out, errs;
    struct err e = {0};
    int status = -1;

    (void)state;
    buf_init(&out, 1000);
    buf_init(&errs, 1000);
    struct proc_opts o = {.argv = SH("cat; echo bad >&2; exit 3"),
                          .input = "hello",
                          .input_len = 5,
                          .deadline = clock_deadline(10000),
                          .out = &out,
                          .err = &errs};
    assert_int_equal(proc_run(&status, &o, &e), 0);
    assert_int_equal(status, 3);
    assert_string_equal(buf_str(&out), "hello");
    assert_string_equal(buf_str(&errs), "bad\n");
}

static void both_streams_may_share_a_buffer(void **state)
{
    auto_buf struct buf out;
    struct err e = {0};
    int status;

    (void)state;
    buf_init(&out, 1000);
    struct proc_opts o = {.argv = SH("echo a; echo b >&2; echo c"),
                          .deadline = clock_deadline(10000),
                          .out = &out,
                          .err = &out};
    assert_int_equal(proc_run(&status, &o, &e), 0);
    assert_string_equal(buf_str(&out), "a\nb\nc\n");
}

static void megabytes_go_both_ways(void **state)
{
    size_t size = 3 << 20;
    auto_buf struct buf out;
    struct err e = {0};
    int status;

    (void)state;
    auto_free char *data = mem_alloc(size);
    memset(data, 'x', size);
    buf_init(&out, size * 2);
    struct proc_opts o = {.argv = (const char *const[]){"cat", NULL},
                          .input = data,
                          .input_len = size,
                          .deadline = clock_deadline(20000),
                          .out = &out};
    assert_int_equal(proc_run(&status, &o, &e), 0);
    assert_int_equal(out.len, size);
}

static void too_much_output_is_cut_and_the_program_ends_well(void **state)
{
    auto_buf struct buf out;
    struct err e = {0};
    int status;

    (void)state;
    buf_init(&out, 1000);
    struct proc_opts o = {.argv = SH("head -c 1000000 /dev/zero | tr '\\0' x"),
                          .deadline = clock_deadline(20000),
                          .out = &out};
    assert_int_equal(proc_run(&status, &o, &e), 0);
    assert_int_equal(status, 0);
    assert_int_equal(out.len, 1000);
    assert_true(out.full);
}

static void a_program_that_hangs_is_killed_with_its_children(void **state)
{
    auto_buf struct buf out;
    struct err e = {0};
    int status;
    int64_t begin = clock_now_ms();

    (void)state;
    buf_init(&out, 1000);
    struct proc_opts o = {.argv = SH("trap '' TERM; sleep 100 & echo $!; sleep 100"),
                          .deadline = clock_deadline(300),
                          .out = &out};
    assert_int_equal(proc_run(&status, &o, &e), -1);
    assert_int_equal(e.code, ERR_TIMEOUT);
    assert_string_equal(e.msg, "sh did not end before its deadline and was killed");
    assert_in_range(clock_now_ms() - begin, 300, 60000);
    pid_t child = (pid_t)strtol(buf_str(&out), NULL, 10);
    assert_true(child > 1);
    /* A zombie waits for whoever adopted it; it is dead all the same. */
    auto_free char *path = mem_printf("/proc/%d/cmdline", (int)child);
    for (int i = 0; i < 100 && access(path, F_OK) == 0 && kill(child, 0) == 0; i++) {
        auto_buf struct buf left;

        buf_init(&left, 100);
        struct proc_opts cat = {.argv = (const char *const[]){"cat", path, NULL},
                                .deadline = clock_deadline(5000),
                                .out = &left,
                                .err = &left};
        assert_int_equal(proc_run(&status, &cat, &e), 0);
        if (left.len == 0)
            return;
        clock_sleep_ms(20);
    }
}

static void an_endless_writer_cannot_outrun_the_deadline(void **state)
{
    auto_buf struct buf out;
    struct err e = {0};
    int status;

    (void)state;
    buf_init(&out, 100);
    struct proc_opts o = {
        .argv = (const char *const[]){"yes", NULL}, .deadline = clock_deadline(300), .out = &out};
    assert_int_equal(proc_run(&status, &o, &e), -1);
    assert_int_equal(e.code, ERR_TIMEOUT);
}

static void a_grandchild_that_holds_the_pipe_is_not_waited_for(void **state)
{
    auto_buf struct buf out;
    struct err e = {0};
    int status;
    int64_t begin = clock_now_ms();

    (void)state;
    buf_init(&out, 1000);
    struct proc_opts o = {
        .argv = SH("sleep 300 & echo $!"), .deadline = clock_deadline(50000), .out = &out};
    assert_int_equal(proc_run(&status, &o, &e), 0);
    assert_true(clock_now_ms() - begin < 30000);
    /* It would hold the pipe of whoever runs this test. */
    assert_int_equal(kill((pid_t)strtol(buf_str(&out), NULL, 10), SIGKILL), 0);
}

static void death_by_signal_is_128_and_more(void **state)
{
    struct err e = {0};
    int status;

    (void)state;
    struct proc_opts o = {.argv = SH("kill -9 $$"), .deadline = clock_deadline(10000)};
    assert_int_equal(proc_run(&status, &o, &e), 0);
    assert_int_equal(status, 128 + SIGKILL);
}

static void a_missing_program_is_not_found(void **state)
{
    struct err e = {0};
    int status;

    (void)state;
    struct proc_opts o = {.argv = (const char *const[]){"no-such-program", NULL},
                          .deadline = clock_deadline(10000)};
    assert_int_equal(proc_run(&status, &o, &e), -1);
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_string_equal(e.msg, "cannot run no-such-program: No such file or directory");
}

static void environment_and_directory_are_as_given(void **state)
{
    auto_buf struct buf out;
    struct err e = {0};
    int status;

    (void)state;
    buf_init(&out, 1000);
    struct proc_opts o = {.argv = SH("echo $A $HOME; pwd"),
                          .env = (const char *const[]){"A=1", "PATH=/bin:/usr/bin", NULL},
                          .cwd = "/",
                          .deadline = clock_deadline(10000),
                          .out = &out};
    assert_int_equal(proc_run(&status, &o, &e), 0);
    assert_string_equal(buf_str(&out), "1\n/\n");
}

static void the_user_is_changed(void **state)
{
    auto_buf struct buf out;
    struct err e = {0};
    int status;

    (void)state;
    if (getuid() != 0)
        skip();
    buf_init(&out, 1000);
    struct proc_opts o = {.argv = SH("id -u; id -g; id -G"),
                          .deadline = clock_deadline(10000),
                          .uid = 1234,
                          .gid = 2345,
                          .set_user = true,
                          .out = &out};
    assert_int_equal(proc_run(&status, &o, &e), 0);
    assert_string_equal(buf_str(&out), "1234\n2345\n2345\n");
}

static void no_descriptor_of_ours_reaches_the_program(void **state)
{
    auto_buf struct buf out;
    struct err e = {0};
    int status;

    (void)state;
    for (int fd = 3; fd < 64; fd++) /* what this program was born with is not its doing */
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    buf_init(&out, 1000);
    struct proc_opts o = {.argv = SH("for f in /proc/$$/fd/*; do echo ${f##*/}; done"),
                          .input = "x",
                          .input_len = 1,
                          .deadline = clock_deadline(10000),
                          .out = &out};
    assert_int_equal(proc_run(&status, &o, &e), 0);
    /* A shell has one to list the folder, and may hold its own at 10 and more. */
    int more = 0;
    for (char c = '3'; c <= '9'; c++) {
        const char shown[] = {'\n', c, '\n', '\0'};

        more += strstr(buf_str(&out), shown) != NULL;
    }
    assert_in_range(more, 0, 1);
}

static void one_of_many(void *arg, size_t i)
{
    int *failures = arg;
    auto_buf struct buf out;
    struct err e = {0};
    int status;

    buf_init(&out, 100);
    auto_free char *script = mem_printf("echo %zu; exit %zu", i, i);
    struct proc_opts o = {.argv = SH(script), .deadline = clock_deadline(20000), .out = &out};
    failures[i] = proc_run(&status, &o, &e) < 0 || (size_t)status != i ||
                  (size_t)strtol(buf_str(&out), NULL, 10) != i;
}

static void threads_may_run_programs_at_once(void **state)
{
    int failures[40];

    (void)state;
    pool_run(40, 4, one_of_many, failures);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(failures[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_input_and_status_are_captured),
        cmocka_unit_test(both_streams_may_share_a_buffer),
        cmocka_unit_test(megabytes_go_both_ways),
        cmocka_unit_test(too_much_output_is_cut_and_the_program_ends_well),
        cmocka_unit_test(a_program_that_hangs_is_killed_with_its_children),
        cmocka_unit_test(an_endless_writer_cannot_outrun_the_deadline),
        cmocka_unit_test(a_grandchild_that_holds_the_pipe_is_not_waited_for),
        cmocka_unit_test(death_by_signal_is_128_and_more),
        cmocka_unit_test(a_missing_program_is_not_found),
        cmocka_unit_test(environment_and_directory_are_as_given),
        cmocka_unit_test(the_user_is_changed),
        cmocka_unit_test(no_descriptor_of_ours_reaches_the_program),
        cmocka_unit_test(threads_may_run_programs_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

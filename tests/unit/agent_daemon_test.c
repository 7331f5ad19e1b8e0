/* SPDX-License-Identifier: MIT */
// link: installer/agent
/* The agent's side of the supervision socket; the other end stands for slipway-init. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/daemon.h"
#include "base/mem.h"

static struct supervise_msg said;

static void say(int fd, enum supervise_kind kind, int pid, int status)
{
    struct err e;

    supervise_reset(&said, kind);
    if (kind == SUPERVISE_STATE)
        said.agent_starts = 1;
    else
        said.service = DAEMON_SERVICE;
    said.pid = pid;
    said.status = status;
    assert_int_equal(supervise_send(fd, &said, &e), 0);
}

static int open_both(struct daemon *d, struct err *e)
{
    int ends[2];
    char number[16];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    snprintf(number, sizeof(number), "%d", ends[1]);
    setenv(SUPERVISE_FD_ENV, number, 1);
    say(ends[0], SUPERVISE_STATE, 0, 0);
    assert_int_equal(daemon_open(d, e), 0);
    return ends[0];
}

static int run(struct daemon *d, struct err *e)
{
    struct manifest m = {0};
    struct config c = {0};
    struct daemon_run run = {.manifest = &m, .config = &c, .tag = "x"};

    strv_add(&c.argv, "sh");
    int r = daemon_run(d, &run, e);
    strv_clear(&c.argv);
    return r;
}

static void a_daemon_that_ended_at_once_was_started(void **state)
{
    (void)state;
    struct daemon d;
    struct err e = {0};
    auto_close int init = open_both(&d, &e);
    say(init, SUPERVISE_STARTED, 7, 0);
    say(init, SUPERVISE_EXITED, 7, 3);
    assert_int_equal(run(&d, &e), 0);
    assert_int_equal(d.pid, 0);
    assert_true(d.ended);
    assert_int_equal(d.status, 3);
    daemon_close(&d);
}

static void one_that_cannot_be_executed_was_not(void **state)
{
    (void)state;
    struct daemon d;
    struct err e = {0};
    auto_close int init = open_both(&d, &e);
    say(init, SUPERVISE_EXITED, 0, 126);
    assert_int_equal(run(&d, &e), -1);
    assert_string_equal(e.msg, "sh could not be started: it cannot be executed");
    daemon_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_daemon_that_ended_at_once_was_started),
        cmocka_unit_test(one_that_cannot_be_executed_was_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

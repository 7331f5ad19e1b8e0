/* SPDX-License-Identifier: MIT */
#include "agent/hooks.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"

static char dir[] = "/tmp/agent_hooks_test.XXXXXX";

static char *script(const char *body)
{
    char *path = mem_printf("%s/hook", dir);
    auto_free char *text = mem_printf("#!/bin/sh\n%s\n", body);
    struct err e;
    struct fs_write_opts o = {.mode = 0755, .uid = (uid_t)-1, .gid = (gid_t)-1};

    assert_int_equal(fs_write(path, text, strlen(text), &o, &e), 0);
    return path;
}

static int run(struct hook_result *r, const char *body, struct hook_call more, struct err *e)
{
    auto_free char *path = script(body);
    auto_strv struct strv env = {0};

    strv_add(&env, "PATH=/usr/bin:/bin");
    strv_add(&env, "CFG_word=value");
    more.path = path;
    more.name = "test";
    more.env = &env;
    more.wake_fd = -1;
    more.log = HOOK_LOG_DEBUG;
    if (!more.deadline)
        more.deadline = clock_deadline(50000);
    return r ? hook_run(r, &more, e) : hook_must(&more, e);
}

static void a_hook_has_its_environment_and_its_last_line_is_kept(void **state)
{
    (void)state;
    struct hook_result r;
    struct err e;
    struct hook_call call = {.changed = "a b"};
    assert_int_equal(
        run(&r, "echo one; echo \"$CFG_word $SLIPWAY_CHANGED $HOME\" >&2; exit 4", call, &e), 0);
    assert_int_equal(r.status, 4);
    assert_string_equal(r.last_line, "value a b");
    hook_result_clear(&r);
}

static void a_failure_carries_the_end_of_the_output(void **state)
{
    (void)state;
    struct err e;
    assert_int_equal(run(NULL, "echo first; echo the reason; exit 3", (struct hook_call){0}, &e),
                     -1);
    assert_int_equal(e.code, ERR_REMOTE);
    assert_string_equal(e.msg, "hook test failed with status 3: first\nthe reason");
}

static void unfinished_work_is_no_failure_for_who_asks(void **state)
{
    (void)state;
    struct err e;
    bool unfinished = false;
    struct hook_call call = {.unfinished = &unfinished};
    assert_int_equal(run(NULL, "echo 3 to go; exit 75", call, &e), 0);
    assert_true(unfinished);
    assert_int_equal(run(NULL, "exit 0", call, &e), 0);
    assert_false(unfinished);
    unfinished = true;
    assert_int_equal(run(NULL, "exit 74", call, &e), -1);
    assert_false(unfinished);
    assert_int_equal(run(NULL, "exit 75", (struct hook_call){0}, &e), -1);
    assert_string_equal(e.msg, "hook test failed with status 75");
}

static void a_hook_that_hangs_is_killed_with_its_children(void **state)
{
    (void)state;
    struct err e;
    struct hook_call call = {.deadline = clock_deadline(300)};
    int64_t begin = clock_now_ms();
    assert_int_equal(run(NULL, "echo waiting; sleep 60 & sleep 60", call, &e), -1);
    assert_int_equal(e.code, ERR_TIMEOUT);
    assert_string_equal(e.msg, "hook test did not end before its deadline and was killed; it "
                               "printed: waiting");
    assert_in_range(clock_now_ms() - begin, 250, 30000);
}

static void a_megabyte_of_output_keeps_only_its_end(void **state)
{
    (void)state;
    struct hook_result r;
    struct err e;
    assert_int_equal(run(&r, "head -c 1000000 /dev/zero | tr '\\0' x; echo; echo end",
                         (struct hook_call){0}, &e),
                     0);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.last_line, "end");
    hook_result_clear(&r);
}

static void stdout_goes_to_whoever_wants_it(void **state)
{
    (void)state;
    struct hook_result r;
    struct err e;
    auto_buf struct buf out;
    buf_init(&out, 1 << 20);
    struct hook_call call = {.out = &out};
    assert_int_equal(run(&r, "echo '{}'; echo noise >&2", call, &e), 0);
    assert_string_equal(buf_str(&out), "{}\n");
    assert_string_equal(r.last_line, "noise");
    hook_result_clear(&r);
}

static bool at_once(void *arg)
{
    return ++*(int *)arg > 1;
}

static void a_hook_is_interrupted_when_idle_says_so(void **state)
{
    (void)state;
    int count = 0;
    struct err e;
    struct hook_call call = {.idle = at_once, .arg = &count};
    int64_t begin = clock_now_ms();
    assert_int_equal(run(NULL, "sleep 60", call, &e), -1);
    assert_int_equal(e.code, ERR_INTERRUPTED);
    assert_in_range(clock_now_ms() - begin, 0, 30000);
}

static void a_background_process_does_not_hold_a_hook_back(void **state)
{
    (void)state;
    struct hook_result r;
    struct err e;
    int64_t begin = clock_now_ms();
    assert_int_equal(run(&r, "sleep 60 & echo done", (struct hook_call){0}, &e), 0);
    assert_in_range(clock_now_ms() - begin, 0, 30000);
    assert_string_equal(r.last_line, "done");
    hook_result_clear(&r);
}

static void what_cannot_be_executed_says_so(void **state)
{
    (void)state;
    auto_strv struct strv env = {0};
    struct err e;
    struct hook_call call = {.path = "/etc/passwd",
                             .name = "passwd",
                             .env = &env,
                             .wake_fd = -1,
                             .deadline = clock_deadline(5000)};
    assert_int_equal(hook_must(&call, &e), -1);
    assert_string_equal(
        e.msg, "hook passwd failed with status 126: cannot be executed: Permission denied");
}

static int make_dir(void **state)
{
    (void)state;
    log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    struct err e;
    return fs_remove_tree(dir, &e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hook_has_its_environment_and_its_last_line_is_kept),
        cmocka_unit_test(a_failure_carries_the_end_of_the_output),
        cmocka_unit_test(unfinished_work_is_no_failure_for_who_asks),
        cmocka_unit_test(a_hook_that_hangs_is_killed_with_its_children),
        cmocka_unit_test(a_megabyte_of_output_keeps_only_its_end),
        cmocka_unit_test(stdout_goes_to_whoever_wants_it),
        cmocka_unit_test(a_hook_is_interrupted_when_idle_says_so),
        cmocka_unit_test(a_background_process_does_not_hold_a_hook_back),
        cmocka_unit_test(what_cannot_be_executed_says_so),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "plan/journal.h"

#define STARTED(op) "{\"op\":\"" op "\",\"state\":\"started\"}\n"
#define DONE(op) "{\"op\":\"" op "\",\"state\":\"done\"}\n"
#define FAILED(op) "{\"op\":\"" op "\",\"state\":\"failed\"}\n"
#define UNANSWERED(op) "{\"op\":\"" op "\",\"state\":\"unanswered\"}\n"

static int make_home(void **state)
{
    char *dir = mem_strdup("/tmp/journal-test.XXXXXX");

    assert_non_null(mkdtemp(dir));
    *state = dir;
    return 0;
}

static int remove_home(void **state)
{
    struct err e;

    assert_int_equal(fs_remove_tree(*state, &e), 0);
    free(*state);
    return 0;
}

static void unanswered_in(struct journal_unanswered *u, void **state, const char *text)
{
    auto_free char *dir = fs_join(*state, "demo");
    auto_free char *path = mem_printf("%s/journal", dir);
    struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct err e;

    assert_int_equal(fs_mkdirs(dir, 0700, &e), 0);
    assert_int_equal(fs_write(path, text, strlen(text), &o, &e), 0);
    journal_unanswered(u, dir);
}

static void a_call_without_an_end_is_unanswered(void **state)
{
    struct journal_unanswered u;

    unanswered_in(&u, state,
                  STARTED("create network demo-net") STARTED("create volume demo-a-1-data")
                      DONE("create volume demo-a-1-data"));
    assert_true(u.late > clock_now_ms());
    assert_true(u.makes_objects);
    unanswered_in(&u, state, STARTED("stop instance a-1"));
    assert_true(u.late > 0);
    assert_false(u.makes_objects);
}

static void a_run_whose_calls_all_ended_has_none(void **state)
{
    struct journal_unanswered u;

    unanswered_in(&u, state,
                  STARTED("create network demo-net") DONE("create network demo-net")
                      STARTED("create instance a-1") FAILED("create instance a-1"));
    assert_int_equal(u.late, 0);
    assert_false(u.makes_objects);
}

static void a_call_given_up_is_unanswered_and_one_of_two_equal_ones_too(void **state)
{
    struct journal_unanswered u;

    unanswered_in(&u, state, STARTED("create instance a-1") UNANSWERED("create instance a-1"));
    assert_true(u.makes_objects);
    unanswered_in(&u, state,
                  STARTED("create instance a-1") STARTED("create instance a-1")
                      DONE("create instance a-1"));
    assert_true(u.makes_objects);
}

static void a_line_cut_short_and_a_missing_file_do_no_harm(void **state)
{
    struct journal_unanswered u;

    unanswered_in(&u, state,
                  STARTED("create instance a-1") DONE("create instance a-1") "{\"op\":\"cre");
    assert_int_equal(u.late, 0);
    journal_unanswered(&u, "/nowhere");
    assert_int_equal(u.late, 0);
}

static void an_entry_that_does_not_fit_stops_the_run(void **state)
{
    auto_free char *dir = fs_join(*state, "demo");
    auto_free char *path = mem_printf("%s/journal", dir);
    auto_free char *sentence = mem_printf("writing %s: there is no room for a whole entry", path);
    struct op op = {.kind = OP_KIND_VOLUME_CREATE, .target = path};
    struct rlimit old, small;
    struct journal_opts o = {.env = "demo", .folder = dir};
    struct journal *j;
    struct err e;

    journal_forget(dir);
    assert_int_equal(fs_mkdirs(dir, 0700, &e), 0);
    assert_int_equal(journal_open(&j, &o, &e), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){10, old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int r = journal_write(j, &op, "started", &e);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(r, -1);
    assert_string_equal(e.msg, sentence);
    journal_close(j);
    journal_forget(dir);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_without_an_end_is_unanswered),
        cmocka_unit_test(a_run_whose_calls_all_ended_has_none),
        cmocka_unit_test(a_call_given_up_is_unanswered_and_one_of_two_equal_ones_too),
        cmocka_unit_test(a_line_cut_short_and_a_missing_file_do_no_harm),
        cmocka_unit_test(an_entry_that_does_not_fit_stops_the_run),
    };

    return cmocka_run_group_tests(tests, make_home, remove_home);
}

/* SPDX-License-Identifier: MIT */
// link: installer/agent
#include "agent/keep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/cgroup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"

static void a_daemon_that_ends_over_and_over_has_to_live_longer_each_time(void **state)
{
    static const struct {
        int64_t lived_ms, settle_ms;
    } ends[] = {{500, 0}, {700, 0}, {900, 1800}, {1900, 3800}, {40000, 60000}, {61000, 0}, {5, 0}};
    struct keep_end k = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        keep_end_add(&k, ends[i].lived_ms, "it ended");
        assert_int_equal(keep_end_settle_ms(&k), ends[i].settle_ms);
    }
    keep_end_clear(&k);
}

static void what_is_kept_comes_back_and_what_is_damaged_does_not(void **state)
{
    char dir[] = "/tmp/keep-XXXXXX";
    struct keep_refusal said = {.hash = "abc", .asked = 7, .error = mem_strdup("too much")}, read;
    struct keep_end end = {.row = 3, .lived_ms = 900, .text = mem_strdup("gone")}, seen;
    int64_t now = clock_wall_ms();
    struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct err e = {0};

    (void)state;
    assert_non_null(mkdtemp(dir));
    auto_free char *refused = fs_join(dir, KEEP_REFUSAL);
    auto_free char *ended = fs_join(dir, KEEP_END);
    assert_int_equal(keep_refusal_save(&said, refused, &e), 0);
    keep_refusal_load(&read, refused);
    assert_string_equal(read.hash, "abc");
    assert_int_equal(read.asked, 7);
    assert_string_equal(read.error, "too much");
    keep_refusal_clear(&read);
    assert_int_equal(keep_refusal_save(&read, refused, &e), 0);
    assert_false(fs_exists(refused));
    keep_refusal_load(&read, refused);
    assert_null(read.error);
    end.at_ms = now - 25 * 3600 * 1000;
    assert_int_equal(keep_end_save(&end, ended, &e), 0);
    keep_end_load(&seen, ended);
    assert_null(seen.text); /* no news any more */
    end.at_ms = now;
    assert_int_equal(keep_end_save(&end, ended, &e), 0);
    keep_end_load(&seen, ended);
    assert_int_equal(seen.row, 3);
    assert_string_equal(seen.text, "gone");
    keep_end_clear(&seen);
    assert_int_equal(fs_write(ended, "{\"row\":-1,\"lived_ms\":\"x\"", 24, &o, &e), 0);
    keep_end_load(&seen, ended);
    assert_int_equal(keep_end_settle_ms(&seen), 0);
    assert_null(seen.text);
    keep_refusal_clear(&said);
    keep_end_clear(&end);
    unlink(ended);
    rmdir(dir);
}

static void kills_for_want_of_memory_are_counted_in_both_versions(void **state)
{
    static const char *const cases[][2] = {
        {"memory.events", "low 0\nmax 3\noom 2\noom_kill 2\noom_group_kill 0\n"},
        {"memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n"},
        {"memory.events", "low 0\n"},
    };
    static const int64_t wants[] = {2, 7, 0};
    struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char dir[] = "/tmp/cgroup-XXXXXX";

        assert_non_null(mkdtemp(dir));
        auto_free char *sub = fs_join(dir, "memory");
        auto_free char *path = fs_join(dir, cases[i][0]);
        assert_int_equal(cgroup_oom_kills(dir), 0);
        assert_int_equal(fs_mkdirs(sub, 0700, &e), 0);
        assert_int_equal(fs_write(path, cases[i][1], strlen(cases[i][1]), &o, &e), 0);
        assert_int_equal(cgroup_oom_kills(dir), wants[i]);
        assert_int_equal(fs_remove_tree(dir, &e), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_daemon_that_ends_over_and_over_has_to_live_longer_each_time),
        cmocka_unit_test(kills_for_want_of_memory_are_counted_in_both_versions),
        cmocka_unit_test(what_is_kept_comes_back_and_what_is_damaged_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

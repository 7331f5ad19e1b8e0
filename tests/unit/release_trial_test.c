/* SPDX-License-Identifier: MIT */
// link: installer/init
// wrap: clock_now_ms
#include "init/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

static int64_t now = 1000000;

int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void)
{
    return now;
}

enum { TRIAL_MS = 5000 };
static const char name[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct place {
    char home[32];
    int dir;
    struct release r;
};

/* A release that was just started, on trial. */
static void open_place(struct place *p)
{
    struct fs_write_opts o = {.mode = 0755, .uid = (uid_t)-1, .gid = (gid_t)-1};
    char path[4096];
    struct err e;

    *p = (struct place){.home = "/tmp/trial-XXXXXX"};
    assert_non_null(mkdtemp(p->home));
    p->r.home = p->home;
    p->r.image_agent = "/bin/false";
    auto_free char *releases = fs_join(p->home, "releases"), *folder = fs_join(releases, name);
    auto_free char *agent = fs_join(folder, RELEASE_AGENT);
    assert_int_equal(fs_mkdirs(folder, 0755, &e), 0);
    assert_int_equal(fs_write(agent, "x", 1, &o, &e), 0);
    p->dir = open(releases, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    assert_int_equal(release_switch(p->dir, RELEASE_CURRENT, name), 0);
    assert_int_equal(release_switch(p->dir, RELEASE_TRIAL, name), 0);
    release_exchange(&p->r, TRIAL_MS);
    release_choose(&p->r, path, sizeof(path));
    assert_string_equal(path, agent);
}

static void close_place(struct place *p)
{
    struct err e;

    close(p->dir);
    assert_int_equal(fs_remove_tree(p->home, &e), 0);
}

static bool says_waits(const struct place *p)
{
    return faccessat(p->dir, RELEASE_WAITS, F_OK, 0) == 0;
}

static const char *current(const struct place *p)
{
    static char text[RELEASE_NAME_SIZE];

    release_read(text, p->dir, RELEASE_CURRENT);
    return text;
}

static void one_that_says_nothing_is_put_back_in_time(void **state)
{
    struct place p;

    (void)state;
    open_place(&p);
    now += TRIAL_MS - 1;
    assert_false(release_is_late(&p.r));
    now++;
    assert_true(release_is_late(&p.r));
    assert_string_equal(current(&p), RELEASE_IMAGE);
    close_place(&p);
}

static void one_that_cannot_report_has_ten_times_as_long(void **state)
{
    int64_t began = now;
    struct place p;

    (void)state;
    open_place(&p);
    while (now < began + RELEASE_WAITS_MAX * TRIAL_MS) {
        assert_false(release_is_late(&p.r));
        release_waits(&p.r);
        assert_true(says_waits(&p));
        now += 1000;
    }
    release_waits(&p.r);
    assert_true(release_is_late(&p.r));
    assert_string_equal(current(&p), RELEASE_IMAGE);
    assert_false(says_waits(&p));
    close_place(&p);
}

static void when_it_waits_no_more_its_time_counts_from_there(void **state)
{
    struct place p;

    (void)state;
    open_place(&p);
    now += TRIAL_MS - 1;
    release_waits(&p.r);
    now += TRIAL_MS - 1;
    assert_false(release_is_late(&p.r));
    now++;
    assert_true(release_is_late(&p.r));
    close_place(&p);
}

static void one_that_reports_at_last_stays(void **state)
{
    struct place p;

    (void)state;
    open_place(&p);
    now += TRIAL_MS - 1;
    release_waits(&p.r);
    release_well(&p.r);
    assert_false(says_waits(&p));
    now += 100 * TRIAL_MS;
    assert_false(release_is_late(&p.r));
    assert_string_equal(current(&p), name);
    release_waits(&p.r); /* it is not on trial any more */
    assert_false(says_waits(&p));
    close_place(&p);
}

static void one_that_ends_is_put_back_although_it_waits(void **state)
{
    struct place p;

    (void)state;
    open_place(&p);
    release_waits(&p.r);
    assert_false(release_crashed(&p.r, 1));
    assert_false(release_crashed(&p.r, 1));
    assert_true(release_crashed(&p.r, 1));
    assert_string_equal(current(&p), RELEASE_IMAGE);
    assert_false(says_waits(&p));
    close_place(&p);
}

/* Whoever activates another one was killed behind `before` and `previous`. */
static void a_change_that_was_cut_off_leaves_what_ran_before(void **state)
{
    static const char older[] = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
    struct fs_write_opts o = {.mode = 0755, .uid = (uid_t)-1, .gid = (gid_t)-1};
    char previous[RELEASE_NAME_SIZE];
    struct place p;
    struct err e;

    (void)state;
    open_place(&p);
    auto_free char *folder = mem_printf("%s/releases/%s", p.home, older);
    auto_free char *agent = fs_join(folder, RELEASE_AGENT);
    assert_int_equal(fs_mkdirs(folder, 0755, &e), 0);
    assert_int_equal(fs_write(agent, "x", 1, &o, &e), 0);
    assert_int_equal(release_switch(p.dir, RELEASE_BEFORE, older), 0);
    assert_int_equal(release_switch(p.dir, RELEASE_PREVIOUS, name), 0);
    assert_true(release_previous(previous, p.dir, name));
    assert_string_equal(previous, older);
    release_put_back(&p.r, "it ended");
    assert_string_equal(current(&p), older);
    assert_false(release_previous(previous, p.dir, older));
    assert_string_equal(previous, RELEASE_IMAGE);
    close_place(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_says_nothing_is_put_back_in_time),
        cmocka_unit_test(one_that_cannot_report_has_ten_times_as_long),
        cmocka_unit_test(when_it_waits_no_more_its_time_counts_from_there),
        cmocka_unit_test(one_that_reports_at_last_stays),
        cmocka_unit_test(one_that_ends_is_put_back_although_it_waits),
        cmocka_unit_test(a_change_that_was_cut_off_leaves_what_ran_before),
    };

    return cmocka_run_group_tests_name("release_trial", tests, NULL, NULL);
}

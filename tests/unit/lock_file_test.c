/* SPDX-License-Identifier: MIT */
// wrap: until_sleep_ms
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "plan/lock.h"
#include "plan/lock_owner.h"

static char home[] = "/tmp/slipway-lock-file-test-XXXXXX";
static char folder[sizeof(home) + sizeof("/demo")];
static struct env_lock *holder;
static bool is_removed;

/* While the second one waits, the first ends; if the test says so, after what `down --volumes`
 * does. */
void __wrap_until_sleep_ms(struct until u, int64_t ms);
void __wrap_until_sleep_ms(struct until u, int64_t ms)
{
    struct err e;

    (void)u;
    (void)ms;
    if (!holder)
        return;
    if (is_removed)
        assert_int_equal(fs_remove_tree(home, &e), 0);
    lock_close(steal(holder));
}

static void who_waited_for_a_file_that_is_gone_locks_the_one_that_others_find(void **state)
{
    struct lock_opts o = {.env = "demo",
                          .folder = folder,
                          .user = "ann",
                          .command = "up",
                          .wait_ms = 5000},
                     now = o;
    struct env_lock *second = NULL, *third = NULL;
    struct err e;

    (void)state;
    now.wait_ms = 0;
    is_removed = true;
    assert_non_null(mkdtemp(home));
    snprintf(folder, sizeof(folder), "%s/demo", home);
    assert_int_equal(lock_open(&holder, &o, &e), 0);
    assert_int_equal(lock_open(&second, &o, &e), 0);
    assert_null(holder);
    assert_int_equal(lock_open(&third, &now, &e), -1);
    assert_int_equal(e.code, ERR_LOCKED);
    lock_close(second);
    assert_int_equal(lock_open(&third, &now, &e), 0);
    lock_close(third);
    assert_int_equal(fs_remove_tree(home, &e), 0);
}

/* What a run meets whose predecessor was killed a moment ago: the kernel still holds its files. */
static void the_file_of_a_killed_holder_is_waited_for_unasked(void **state)
{
    struct lock_opts o = {.env = "demo", .folder = folder, .user = "ann", .command = "up"};
    auto_free char *own = lock_owner_text("up", "ann"), *gone = NULL, *path = NULL;
    const char *start = strstr(own, "\"start\":");
    struct env_lock *second = NULL;
    struct err e;
    FILE *f;

    (void)state;
    is_removed = false;
    memcpy(home + strlen(home) - 6, "XXXXXX", 6);
    assert_non_null(mkdtemp(home));
    snprintf(folder, sizeof(folder), "%s/demo", home);
    assert_int_equal(lock_open(&holder, &o, &e), 0);
    gone = mem_printf("%.*s\"start\":1%s", (int)(start - own), own, start + strlen("\"start\":"));
    path = mem_printf("%s/demo/lock", home);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(gone, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(lock_open(&second, &o, &e), 0);
    assert_null(holder);
    lock_close(second);
    assert_int_equal(fs_remove_tree(home, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waited_for_a_file_that_is_gone_locks_the_one_that_others_find),
        cmocka_unit_test(the_file_of_a_killed_holder_is_waited_for_unasked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

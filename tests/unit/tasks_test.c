/* SPDX-License-Identifier: MIT */
// wrap: env_open env_close fs_write fs_write_all view_poke
/* What became of tasks is known to the next process, also when the disk was full meanwhile. */
#include "controller/tasks.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "controller/controller.h"

static struct controller c;
static char folder[] = "/tmp/slipway-tasks-test-XXXXXX";
static bool full; /* the disk: half of what is added is written, as an odd byte is on a page */

/* ---- what it stands on ---- */

static struct env nothing;

int __wrap_env_open(struct env **out, const struct env_opts *o, unsigned needs, struct err *e);
int __wrap_env_open(struct env **out, const struct env_opts *o, unsigned needs, struct err *e)
{
    (void)o;
    (void)needs;
    (void)e;
    *out = &nothing;
    return 0;
}

void __wrap_env_close(struct env *env);
void __wrap_env_close(struct env *env)
{
    (void)env;
}

void __wrap_view_poke(struct view *v);
void __wrap_view_poke(struct view *v)
{
    (void)v;
}

int __real_fs_write_all(int fd, const void *data, size_t len);
int __wrap_fs_write_all(int fd, const void *data, size_t len);
int __wrap_fs_write_all(int fd, const void *data, size_t len)
{
    if (!full)
        return __real_fs_write_all(fd, data, len);
    assert_int_equal(write(fd, data, len / 2), (ssize_t)len / 2);
    errno = ENOSPC;
    return -1;
}

int __real_fs_write(const char *path, const void *data, size_t len, const struct fs_write_opts *o,
                    struct err *e);
int __wrap_fs_write(const char *path, const void *data, size_t len, const struct fs_write_opts *o,
                    struct err *e);
int __wrap_fs_write(const char *path, const void *data, size_t len, const struct fs_write_opts *o,
                    struct err *e)
{
    if (!full)
        return __real_fs_write(path, data, len, o, e);
    errno = ENOSPC;
    return err_sys(e, "writing %s", path);
}

/* ---- tasks ---- */

static void begin_process(void)
{
    struct err e;

    c = (struct controller){.data = folder};
    cancel_init(&c.stop);
    events_init(&c.events);
    tasks_init(&c.tasks, &c);
    assert_int_equal(tasks_load(&c.tasks, &e), 0);
}

/* As a killed one does: nothing more is written. */
static void end_process(void)
{
    tasks_clear(&c.tasks);
    events_clear(&c.events);
    cancel_clear(&c.stop);
}

static int work(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    (void)t;
    (void)env;
    (void)a;
    (void)e;
    return 0;
}

static void do_task(const char *target)
{
    static const struct task_kind kind = {"test", 0, work};
    const struct task_begin b = {
        .kind = &kind, .target = target, .by = "ann", .arguments = node_new_map()};
    auto_node struct node *answer = NULL;
    bool open = true;
    struct err e;

    assert_int_equal(tasks_begin(&answer, &c.tasks, &b, &e), 0);
    while (open) {
        clock_sleep_ms(5);
        pthread_mutex_lock(&c.tasks.mutex);
        open = c.tasks.open > 0;
        pthread_mutex_unlock(&c.tasks.mutex);
    }
}

/* "c: succeeded, b: succeeded", the newest first; owned. */
static char *told(void)
{
    auto_node struct node *rows = tasks_rows(&c.tasks);
    struct buf b;
    const struct node *row;

    buf_init(&b, 1000);
    node_for_each (row, rows) {
        buf_printf(&b, "%s%s: %s", b.len ? ", " : "", node_get_text(row, "target"),
                   node_get_text(row, "state"));
    }
    return buf_take(&b);
}

static void assert_told_to_the_next(const char *text)
{
    auto_free char *got = NULL;

    end_process();
    begin_process();
    got = told();
    assert_string_equal(got, text);
}

static int set_up(void **state)
{
    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    full = false;
    if (!mkdtemp(folder))
        return -1;
    begin_process();
    return 0;
}

static int tear_down(void **state)
{
    struct err e;

    (void)state;
    end_process();
    return fs_remove_tree(folder, &e);
}

static void the_next_process_knows_what_became_of_tasks(void **state)
{
    (void)state;
    do_task("a");
    do_task("b");
    assert_told_to_the_next("b: succeeded, a: succeeded");
}

static void one_that_ran_while_the_disk_was_full_is_known_when_it_is_not(void **state)
{
    (void)state;
    do_task("a");
    full = true;
    do_task("b");
    full = false;
    do_task("c");
    assert_told_to_the_next("c: succeeded, b: succeeded, a: succeeded");
}

static void it_needs_no_other_task_for_that(void **state)
{
    (void)state;
    do_task("a");
    full = true;
    do_task("b");
    tasks_catch_up(&c.tasks);
    full = false;
    tasks_catch_up(&c.tasks);
    assert_told_to_the_next("b: succeeded, a: succeeded");
}

static void a_process_begins_on_a_full_disk(void **state)
{
    (void)state;
    do_task("a");
    full = true;
    assert_told_to_the_next("a: succeeded");
    do_task("b");
    full = false;
    tasks_catch_up(&c.tasks);
    assert_told_to_the_next("b: succeeded, a: succeeded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_next_process_knows_what_became_of_tasks, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            one_that_ran_while_the_disk_was_full_is_known_when_it_is_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_needs_no_other_task_for_that, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_process_begins_on_a_full_disk, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
// fake: text
// wrap: env_volume_list env_volume_snapshot env_volume_snapshot_delete
// wrap: task_log task_steps task_advance task_result
#include "controller/job_work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/json.h"
#include "conf/yaml.h"
#include "env/volumes.h"
#include "fake/text.h"

/* The volumes there are, what is asked for in this order, and how that ends. */
static struct {
    const char *volumes;
    struct buf asked, said;
    const char *bad;  /* what is asked for one of this volume fails so */
    const char *copy; /* this snapshot is copied from */
    enum err_code code;
    char *result;
} world;

int __wrap_env_volume_list(struct node **rows, struct env *env, struct err *e);
int __wrap_env_volume_snapshot(struct env *env, const char *name, const struct strv *snapshots,
                               const struct volume_options *o, struct err *e);
int __wrap_env_volume_snapshot_delete(struct env *env, const char *name,
                                      const struct strv *snapshots, const struct volume_options *o,
                                      struct err *e);
void __wrap_task_log(struct task *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void __wrap_task_steps(struct task *t, int64_t done, int64_t total);
void __wrap_task_advance(struct task *t);
void __wrap_task_result(struct task *t, struct node *result);

int __wrap_env_volume_list(struct node **rows, struct env *env, struct err *e)
{
    (void)env;
    (void)e;
    *rows = from_yaml(world.volumes);
    return 0;
}

static int ask(const char *what, const char *volume, const struct strv *snapshots, struct err *e)
{
    auto_free char *names = strv_join(snapshots, " ");

    buf_printf(&world.asked, "%s %s %s\n", what, volume, names);
    if (world.bad && strcmp(volume, world.bad) == 0)
        return err_set(e, world.code, "%s is bad", volume);
    return 0;
}

int __wrap_env_volume_snapshot(struct env *env, const char *name, const struct strv *snapshots,
                               const struct volume_options *o, struct err *e)
{
    (void)env;
    assert_true(o->automatic && o->unrecorded);
    return ask("make", name, snapshots, e);
}

int __wrap_env_volume_snapshot_delete(struct env *env, const char *name,
                                      const struct strv *snapshots, const struct volume_options *o,
                                      struct err *e)
{
    (void)env;
    (void)o;
    if (ask("delete", name, snapshots, e) < 0)
        return -1;
    if (world.copy && strv_has(snapshots, world.copy))
        return err_set(e, ERR_CONFLICT, "volume copy is copied from it");
    return 0;
}

void __wrap_task_log(struct task *t, const char *fmt, ...)
{
    va_list ap;

    (void)t;
    va_start(ap, fmt);
    auto_free char *text = mem_vprintf(fmt, ap);
    va_end(ap);
    buf_printf(&world.said, "%s\n", text);
}

void __wrap_task_steps(struct task *t, int64_t done, int64_t total)
{
    (void)t;
    (void)done;
    (void)total;
}

void __wrap_task_advance(struct task *t)
{
    (void)t;
}

void __wrap_task_result(struct task *t, struct node *result)
{
    (void)t;
    world.result = json_text(result);
    node_free(result);
}

/* The job at 03:00 of 2026-11-30, which keeps one of an hour. */
static int run(struct err *e)
{
    auto_node struct node *a = from_yaml("{time: 1796007600000, keep: {hourly: 1}}");

    buf_init(&world.asked, 4096);
    buf_init(&world.said, 4096);
    return job_snapshots(NULL, NULL, a, e);
}

static int forget(void **state)
{
    (void)state;
    buf_clear(&world.asked);
    buf_clear(&world.said);
    free(world.result);
    memset(&world, 0, sizeof(world));
    return 0;
}

static void each_volume_gets_one_and_what_is_old_goes(void **state)
{
    struct err e;

    (void)state;
    world.volumes = "[{name: a, snapshots: {monday: {}, auto-2026-11-30T01-00Z: {}, "
                    "auto-2026-11-30T02-00Z: {}, auto-2026-11-30T00-00Z: {absent: true}}}, "
                    "{name: b}]";
    assert_int_equal(run(&e), 0);
    assert_string_equal(buf_str(&world.asked),
                        "make a auto-2026-11-30T03-00Z\n"
                        "delete a auto-2026-11-30T01-00Z auto-2026-11-30T02-00Z\n"
                        "make b auto-2026-11-30T03-00Z\n");
    assert_string_equal(world.result,
                        "{\"text\":\"2 snapshots made, 2 deleted\",\"changed\":true}");
}

static void some_volumes_get_none(void **state)
{
    struct err e;

    (void)state;
    world.volumes = "[{name: t, template: true}, {name: gone, absent: true}, "
                    "{name: back, rollback: {to: s}}, {name: slipway-check-1-2}]";
    assert_int_equal(run(&e), 0);
    assert_string_equal(buf_str(&world.asked), "");
    assert_string_equal(world.result,
                        "{\"text\":\"0 snapshots made, 0 deleted\",\"changed\":false}");
    assert_non_null(strstr(buf_str(&world.said), "back gets none: it is ordered to go back"));
}

static void a_second_run_in_the_same_minute_makes_none(void **state)
{
    struct err e;

    (void)state;
    world.volumes = "[{name: a, snapshots: {auto-2026-11-30T03-00Z: {}}}]";
    assert_int_equal(run(&e), 0);
    assert_string_equal(buf_str(&world.asked), "");
}

static void one_that_is_copied_from_is_kept_and_the_others_go(void **state)
{
    struct err e;

    (void)state;
    world.volumes = "[{name: a, snapshots: {auto-2026-11-30T01-00Z: {}, "
                    "auto-2026-11-30T02-00Z: {}}}]";
    world.copy = "auto-2026-11-30T01-00Z";
    assert_int_equal(run(&e), 0);
    assert_string_equal(buf_str(&world.asked),
                        "make a auto-2026-11-30T03-00Z\n"
                        "delete a auto-2026-11-30T01-00Z auto-2026-11-30T02-00Z\n"
                        "delete a auto-2026-11-30T01-00Z\n"
                        "delete a auto-2026-11-30T02-00Z\n");
    assert_non_null(strstr(buf_str(&world.said),
                           "a: auto-2026-11-30T01-00Z is kept: volume copy is copied from it"));
    assert_string_equal(world.result, "{\"text\":\"1 snapshot made, 1 deleted\",\"changed\":true}");
}

static void a_volume_that_fails_keeps_the_others_from_nothing(void **state)
{
    struct err e;

    (void)state;
    world.volumes = "[{name: a}, {name: b}, {name: c}]";
    world.bad = "b";
    world.code = ERR_UNHEALTHY;
    assert_int_equal(run(&e), -1);
    assert_int_equal(e.code, ERR_UNHEALTHY);
    assert_string_equal(e.msg, "1 failed, the first: b is bad");
    assert_non_null(strstr(buf_str(&world.asked), "make c "));
}

static void without_etcd_it_ends(void **state)
{
    struct err e;

    (void)state;
    world.volumes = "[{name: a}, {name: b}]";
    world.bad = "a";
    world.code = ERR_TIMEOUT;
    assert_int_equal(run(&e), -1);
    assert_int_equal(e.code, ERR_TIMEOUT);
    assert_string_equal(buf_str(&world.asked), "make a auto-2026-11-30T03-00Z\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_volume_gets_one_and_what_is_old_goes, forget),
        cmocka_unit_test_teardown(some_volumes_get_none, forget),
        cmocka_unit_test_teardown(a_second_run_in_the_same_minute_makes_none, forget),
        cmocka_unit_test_teardown(one_that_is_copied_from_is_kept_and_the_others_go, forget),
        cmocka_unit_test_teardown(a_volume_that_fails_keeps_the_others_from_nothing, forget),
        cmocka_unit_test_teardown(without_etcd_it_ends, forget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

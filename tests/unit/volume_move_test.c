/* SPDX-License-Identifier: MIT */
/* A move whose volume another operator gets in between two of its steps: the document is the
 * test's, and changes under it where the test says. */
// fake: text
// wrap: config_begin config_check config_store volume_answer_read volume_answer_await
// wrap: volume_answer_alive etcd_set_deadline
#include "env/volumes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/json.h"
#include "env/config.h"
#include "env/volume_answer.h"
#include "fake/text.h"

#define QEMU(n) "volumedriver-qemu-" #n

/* ---- the document, and the other operator ---- */

static struct {
    struct node *document;
    int64_t revision;
    int begun;         /* steps that took the lock */
    int other_at;      /* before this one the other operator is at work; 0: never */
    const char *other; /* the drivers' overrides when that is done */
} world;

int __wrap_config_begin(struct config_state *s, struct env *env, const char *word,
                        const struct config_commit *o, struct err *e);
int __wrap_config_begin(struct config_state *s, struct env *env, const char *word,
                        const struct config_commit *o, struct err *e)
{
    (void)word;
    (void)e;
    if (++world.begun == world.other_at) {
        node_set(node_find(world.document, "components.volumedriver-qemu"), "overrides",
                 from_yaml(world.other));
        world.revision++;
    }
    *s = (struct config_state){.env = env, .commit = *o};
    s->d.document = node_copy(world.document);
    s->d.mod_revision = world.revision;
    return 0;
}

int __wrap_config_check(struct config_state *s, struct err *e);
int __wrap_config_check(struct config_state *s, struct err *e)
{
    (void)s;
    (void)e;
    return 0;
}

int __wrap_config_store(struct config_state *s, struct err *e);
int __wrap_config_store(struct config_state *s, struct err *e)
{
    (void)e;
    assert_int_equal(s->d.mod_revision, world.revision); /* nobody has the lock but this step */
    node_free(world.document);
    world.document = node_copy(s->d.document);
    world.revision++;
    return 0;
}

/* ---- agents that do at once what they are asked ---- */

int __wrap_volume_answer_read(struct volume_answer *a, struct env *env,
                              const struct spec_instance *i, struct err *e);
int __wrap_volume_answer_read(struct volume_answer *a, struct env *env,
                              const struct spec_instance *i, struct err *e)
{
    (void)env;
    (void)i;
    (void)e;
    *a = (struct volume_answer){.is = VOLUME_ANSWER_APPLIED};
    return 0;
}

int __wrap_volume_answer_await(struct volume_answer *a, struct env *env,
                               const struct spec_instance *i, int64_t deadline, struct err *e);
int __wrap_volume_answer_await(struct volume_answer *a, struct env *env,
                               const struct spec_instance *i, int64_t deadline, struct err *e)
{
    (void)deadline;
    return __wrap_volume_answer_read(a, env, i, e);
}

bool __wrap_volume_answer_alive(struct env *env, const struct spec_instance *i);
bool __wrap_volume_answer_alive(struct env *env, const struct spec_instance *i)
{
    (void)env;
    (void)i;
    return true;
}

void __wrap_etcd_set_deadline(struct etcd *c, int64_t deadline);
void __wrap_etcd_set_deadline(struct etcd *c, int64_t deadline)
{
    (void)c;
    (void)deadline;
}

/* ---- a move ---- */

static struct env env = {.name = "t-move"};

static int load_catalog(void **state)
{
    static const char *const DIRS[] = {"components"};
    struct problems p;

    (void)state;
    problems_init(&p, "test");
    if (catalog_load(&env.catalog, DIRS, ARRAY_LEN(DIRS), &p) < 0)
        fail_msg("%s", p.lines.items[0]);
    problems_clear(&p);
    return 0;
}

static int free_catalog(void **state)
{
    (void)state;
    catalog_free(env.catalog);
    return 0;
}

/* From the first to the second driver; another operator acts before the step `at`. */
static int move(int at, const char *other, struct err *e)
{
    const struct volume_move_opts to = {.to = QEMU(2)};

    node_free(world.document);
    world.document =
        from_yaml("name: t-move\ncomponents:\n  etcd: {instances: 1}\n  ceph-mon: {instances: 1}\n"
                  "  ceph-mgr: {instances: 1, config: {volumes: {v: {size: 1GiB}}}}\n"
                  "  ceph-osd: {instances: 3}\n"
                  "  volumedriver-qemu:\n    instances: 3\n    overrides:\n"
                  "      " QEMU(1) ": {config: {volumes: {v: {pool: volumes, image: v}}}}\n");
    world.revision = 10;
    world.begun = 0;
    world.other_at = at;
    world.other = other;
    env.changed = false;
    *e = (struct err){0};
    return env_volume_move(&env, "v", &to, NULL, e);
}

/* Which of the drivers has the volume, as "1", "23". */
static void assert_served(const char *want)
{
    char serve[4] = "";

    for (size_t i = 1; i <= 3; i++) {
        auto_free char *path = mem_printf("components.volumedriver-qemu.overrides."
                                          "volumedriver-qemu-%zu.config.volumes.v",
                                          i);
        size_t len = strlen(serve);

        if (node_find(world.document, path))
            serve[len] = (char)('0' + i);
    }
    assert_string_equal(serve, want);
}

static void a_move_that_nobody_disturbs_hands_it_over(void **state)
{
    struct err e;

    (void)state;
    if (move(0, NULL, &e) < 0)
        fail_msg("%s", e.msg);
    assert_int_equal(world.begun, 3); /* let go, forget that, attach: the places to be disturbed */
    assert_served("2");
}

static void who_was_faster_keeps_the_volume_and_is_named(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(
        move(3, "{" QEMU(3) ": {config: {volumes: {v: {pool: volumes, image: v}}}}}", &e), -1);
    assert_string_equal(e.msg,
                        "volume v is detached from " QEMU(1) ", and another command attached "
                                                             "it to " QEMU(3) " meanwhile");
    assert_int_equal(err_exit_status(e.code), 3); /* something was changed */
    assert_served("3");
}

static void who_moved_it_to_the_same_place_is_no_trouble(void **state)
{
    struct err e;

    (void)state;
    if (move(3, "{" QEMU(2) ": {config: {volumes: {v: {pool: volumes, image: v}}}}}", &e) < 0)
        fail_msg("%s", e.msg);
    assert_served("2");
}

static void who_attached_it_again_keeps_it(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(
        move(2, "{" QEMU(1) ": {config: {volumes: {v: {pool: volumes, image: v}}}}}", &e), -1);
    assert_string_equal(e.msg, "volume v stays attached: another command took the order back, or "
                               "attached it again");
    assert_served("1");
}

/* Before the first step the other one is done: the move begins where the volume is by then. */
static void who_is_done_before_is_no_race(void **state)
{
    struct err e;

    (void)state;
    if (move(1, "{" QEMU(3) ": {config: {volumes: {v: {pool: volumes, image: v}}}}}", &e) < 0)
        fail_msg("%s", e.msg);
    assert_served("2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_that_nobody_disturbs_hands_it_over),
        cmocka_unit_test(who_was_faster_keeps_the_volume_and_is_named),
        cmocka_unit_test(who_moved_it_to_the_same_place_is_no_trouble),
        cmocka_unit_test(who_attached_it_again_keeps_it),
        cmocka_unit_test(who_is_done_before_is_no_race),
    };
    int r = cmocka_run_group_tests(tests, load_catalog, free_catalog);

    node_free(world.document);
    return r;
}

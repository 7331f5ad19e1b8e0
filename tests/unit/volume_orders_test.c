/* SPDX-License-Identifier: MIT */
/* Orders that are done once: forgotten when they are done, taken back when they are refused. */
// fake: text
#include "volumes/volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/json.h"
#include "fake/text.h"

struct fixture {
    struct node *volumes, *attached;
    struct volume_maps m;
    struct err e;
};

static void open(struct fixture *f, const char *volumes)
{
    f->volumes = from_yaml(volumes);
    f->attached = node_new_list();
    f->m = (struct volume_maps){.volumes = f->volumes, .attached = f->attached};
}

static void close(struct fixture *f)
{
    node_free(f->volumes);
    node_free(f->attached);
}

static void assert_json(const struct node *n, const char *want)
{
    auto_free char *text = json_text(n);

    assert_string_equal(text, want);
}

#define refused(call, sentence)                                                                    \
    do {                                                                                           \
        assert_int_equal(call, -1);                                                                \
        assert_string_equal(f.e.msg, sentence);                                                    \
        assert_int_equal(f.e.code, ERR_CONFLICT);                                                  \
    } while (0)

#define BACK                                                                                       \
    "volume v was ordered to go back to snapshot s, which is not answered: it could lose what is " \
    "written from now on; before "
#define FINISH                                                                                     \
    ", `slipway volume rollback v --cancel` takes that back and keeps what is in it, and "         \
    "`slipway "                                                                                    \
    "volume rollback v s` goes back now"

static void nobody_gets_a_volume_that_may_still_go_back(void **state)
{
    struct volume_attach writer = {.instance = "q-1"};
    struct volume_attach reader = {.instance = "q-1", .read_only = true};
    struct volume_attach by_force = {.instance = "q-1", .take_over = 9};
    auto_node struct node *served = node_new_map();
    struct fixture f = {0};

    (void)state;
    open(&f, "v: {size: 1GiB, snapshots: {s: {size: 1GiB}}}");
    assert_int_equal(volume_rollback(&f.m, "v", "s", 7, &f.e), 0);
    refused(volume_attach(&f.m, served, "v", &writer, &f.e), BACK "attaching it" FINISH);
    refused(volume_attach(&f.m, served, "v", &reader, &f.e), BACK "attaching it" FINISH);
    refused(volume_attach(&f.m, served, "v", &by_force, &f.e), BACK "attaching it" FINISH);
    refused(volume_template(&f.m, "v", &f.e), BACK "making it a template" FINISH);
    assert_int_equal(served->count, 0);
    volume_forget_rollback(&f.m, "v", 6); /* another one */
    refused(volume_attach(&f.m, served, "v", &writer, &f.e), BACK "attaching it" FINISH);
    volume_forget_rollback(&f.m, "v", 7);
    assert_int_equal(volume_attach(&f.m, served, "v", &writer, &f.e), 0);
    close(&f);
}

static void going_back_once_more_is_another_order(void **state)
{
    struct fixture f = {0};
    bool was = false;

    (void)state;
    open(&f, "v: {size: 1GiB, snapshots: {s: {}}}");
    assert_int_equal(volume_rollback(&f.m, "v", "s", 7, &f.e), 0);
    assert_int_equal(volume_rollback(&f.m, "v", "s", 8, &f.e), 0);
    assert_json(node_find(f.volumes, "v.rollback"), "{\"to\":\"s\",\"serial\":8}");
    assert_int_equal(volume_rollback_cancel(&f.m, "v", &was, &f.e), 0);
    assert_true(was);
    assert_int_equal(volume_rollback_cancel(&f.m, "v", &was, &f.e), 0);
    assert_false(was);
    assert_json(f.volumes, "{\"v\":{\"size\":\"1GiB\",\"snapshots\":{\"s\":{}}}}");
    assert_int_equal(volume_rollback_cancel(&f.m, "w", &was, &f.e), -1);
    assert_int_equal(f.e.code, ERR_NOTFOUND);
    close(&f);
}

static void what_went_back_has_the_size_it_had_then(void **state)
{
    struct fixture f = {0};
    bool was;

    (void)state;
    open(&f, "v: {size: 8MiB, snapshots: {s: {size: 16MiB}}}");
    assert_int_equal(volume_rollback(&f.m, "v", "s", 7, &f.e), 0);
    assert_int_equal(volume_rollback_cancel(&f.m, "v", &was, &f.e), 0);
    assert_string_equal(node_get_text(node_get(f.volumes, "v"), "size"), "8MiB");
    assert_int_equal(volume_rollback(&f.m, "v", "s", 8, &f.e), 0);
    assert_int_equal(volume_snapshot_delete(&f.m, "v", "s", &f.e), -1);
    assert_int_equal(f.e.code, ERR_CONFLICT);
    volume_forget_rollback(&f.m, "v", 8);
    assert_string_equal(node_get_text(node_get(f.volumes, "v"), "size"), "16MiB");
    close(&f);
}

static void what_was_carried_out_is_forgotten(void **state)
{
    struct fixture f = {0};

    (void)state;
    open(&f, "gone: {size: 1GiB, absent: true}\n"
             "kept: {size: 1GiB}\n"
             "back: {size: 1GiB, snapshots: {s: {}}, rollback: {to: s, serial: 3}}\n"
             "less: {size: 1GiB, shrink: true}\n"
             "one: {size: 1GiB, snapshots: {a: {absent: true}, b: {}}}\n"
             "all: {size: 1GiB, snapshots: {a: {absent: true}}}\n");
    assert_false(volume_has_order(node_get(f.volumes, "kept")));
    assert_int_equal(volume_orders_forget(f.volumes), 5);
    assert_json(f.volumes,
                "{\"kept\":{\"size\":\"1GiB\"},\"back\":{\"size\":\"1GiB\",\"snapshots\":{\"s\":{}}"
                "},\"less\":{\"size\":\"1GiB\"},\"one\":{\"size\":\"1GiB\",\"snapshots\":{\"b\":{}}"
                "},\"all\":{\"size\":\"1GiB\"}}");
    assert_int_equal(volume_orders_forget(f.volumes), 0);
    close(&f);
}

/* Whoever waited for one snapshot knows nothing of an order that came in between. */
static void only_what_was_asked_is_forgotten(void **state)
{
    const struct strv a = {.items = (char *[]){(char[]){"a"}, NULL}, .count = 1};
    struct fixture f = {0};

    (void)state;
    open(&f, "v: {size: 1GiB, snapshots: {a: {absent: true}, b: {absent: true}}}");
    volume_forget(&f.m, "v");
    volume_forget_snapshots(&f.m, "v", &a);
    assert_json(f.volumes, "{\"v\":{\"size\":\"1GiB\",\"snapshots\":{\"b\":{\"absent\":true}}}}");
    close(&f);
}

static void what_is_refused_is_there_as_it_was(void **state)
{
    static const struct {
        const char *ordered, *after, *said;
    } rows[] = {
        {"{size: 1GiB, absent: true, snapshots: {a: {size: 1GiB, created: 4, absent: true}}}",
         "{\"size\":\"1GiB\",\"snapshots\":{\"a\":{\"size\":\"1GiB\",\"created\":4}}}",
         "stays, the order to delete it"},
        {"{size: 1GiB, snapshots: {a: {created: 4, absent: true}, b: {absent: true}, c: {}}}",
         "{\"size\":\"1GiB\",\"snapshots\":{\"a\":{\"created\":4},\"b\":{},\"c\":{}}}",
         "keeps snapshot a, b, the order to delete them"},
        {"{size: 1GiB, rollback: {to: a, serial: 3}}", "{\"size\":\"1GiB\"}",
         "stays as it is, the order to go back to snapshot a"},
        {"{size: 1GiB, shrink: true}", "{\"size\":\"1GiB\",\"shrink\":true}", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_node struct node *entry = from_yaml(rows[i].ordered);
        auto_free char *said = NULL;

        assert_true(volume_has_order(entry));
        said = volume_orders_drop(entry);
        assert_json(entry, rows[i].after);
        if (rows[i].said)
            assert_string_equal(said, rows[i].said);
        else
            assert_null(said);
    }
}

/* The order to delete keeps what is said of a snapshot, and so does taking it back. */
static void a_snapshot_that_is_not_deleted_is_the_same_one(void **state)
{
    struct fixture f = {0};

    (void)state;
    open(&f, "v: {size: 1GiB, snapshots: {a: {size: 1GiB, created: 4}}}");
    assert_int_equal(volume_snapshot_delete(&f.m, "v", "a", &f.e), 0);
    assert_json(node_find(f.volumes, "v.snapshots.a"),
                "{\"size\":\"1GiB\",\"created\":4,\"absent\":true}");
    free(volume_orders_drop(node_get(f.volumes, "v")));
    assert_int_equal(volume_delete(&f.m, "v", true, &f.e), 0);
    free(volume_orders_drop(node_get(f.volumes, "v")));
    assert_json(f.volumes, "{\"v\":{\"size\":\"1GiB\",\"snapshots\":{\"a\":{\"size\":\"1GiB\","
                           "\"created\":4}}}}");
    close(&f);
}

/* The manager that was to delete it may have died, or sleep. */
static void a_snapshot_about_to_be_deleted_is_of_no_use_and_said_to_be(void **state)
{
    static const char GOING[] = "snapshot s of volume disk is about to be deleted; `slipway volume "
                                "snapshot --delete disk s` waits until it is gone";
    const struct strv again = {.items = (char *[]){(char[]){"s"}, NULL}, .count = 1};
    struct volume_new n = {.from = "disk@s"};
    auto_node struct node *ordered = NULL;
    struct fixture f = {0};

    (void)state;
    open(&f, "disk: {size: 1GiB, snapshots: {s: {}}}");
    assert_int_equal(volume_snapshot_delete(&f.m, "disk", "s", &f.e), 0);
    ordered = node_copy(f.volumes);
    refused(volume_snapshot(&f.m, "disk", "s", &f.e), GOING);
    refused(volume_rollback(&f.m, "disk", "s", 8, &f.e), GOING);
    refused(volume_create(&f.m, "c", &n, &f.e), GOING);
    /* Asked for once more it is waited for. */
    assert_int_equal(volume_snapshot_all(&f.m, "disk", &again, true, &f.e), 0);
    assert_true(node_equal(ordered, f.volumes));
    refused(volume_snapshot_all(&f.m, "disk", &again, false, &f.e), GOING);
    close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_gets_a_volume_that_may_still_go_back),
        cmocka_unit_test(going_back_once_more_is_another_order),
        cmocka_unit_test(what_went_back_has_the_size_it_had_then),
        cmocka_unit_test(what_was_carried_out_is_forgotten),
        cmocka_unit_test(only_what_was_asked_is_forgotten),
        cmocka_unit_test(what_is_refused_is_there_as_it_was),
        cmocka_unit_test(a_snapshot_that_is_not_deleted_is_the_same_one),
        cmocka_unit_test(a_snapshot_about_to_be_deleted_is_of_no_use_and_said_to_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

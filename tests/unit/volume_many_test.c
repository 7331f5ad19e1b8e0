/* SPDX-License-Identifier: MIT */
// fake: text
// link: installer/cmd
#include "volumes/volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "env/volume_trouble.h"
#include "conf/json.h"
#include "conf/yaml.h"
#include "fake/text.h"

static struct strv list(const char *const *words)
{
    struct strv v = {0};

    for (; *words; words++)
        strv_add(&v, *words);
    return v;
}

struct fixture {
    struct node *volumes, *pools, *attached;
    struct volume_maps m;
    struct err e;
};

static void open(struct fixture *f)
{
    f->volumes = from_yaml("disk: {size: 10GiB, snapshots: {s: {size: 8GiB}, t: {size: 8GiB}}}\n"
                           "used: {size: 1GiB}\n"
                           "web: {size: 8GiB, from: disk@s}\n");
    f->pools = from_yaml("volumes: {size: 3}");
    f->attached = from_yaml("[{volume: used, instance: q-1, component: q, read_only: false}]");
    f->m = (struct volume_maps){.volumes = f->volumes, .pools = f->pools, .attached = f->attached};
}

static void close(struct fixture *f)
{
    node_free(f->volumes);
    node_free(f->pools);
    node_free(f->attached);
}

static void refused(int result, const struct err *e, enum err_code code, const char *msg)
{
    assert_int_equal(result, -1);
    assert_int_equal(e->code, code);
    assert_string_equal(e->msg, msg);
}

static void everything_wrong_with_new_volumes_is_said_once(void **state)
{
    (void)state;
    static const char *const words[] = {"a b", "disk", "ok", "also", NULL};
    auto_strv struct strv names = list(words);
    struct volume_new o = {.size = "65TiB", .pool = "volumse"};
    struct fixture f = {0};

    open(&f);
    refused(volume_create_all(&f.m, &names, &o, &f.e), &f.e, ERR_CONFIG,
            "size 65TiB: 1MiB to 64TiB are allowed\n"
            "volume \"a b\": a name is 1 to 64 letters, digits, _ . -, and begins with a letter or "
            "digit\n"
            "there is no pool volumse (did you mean volumes?)");
    close(&f);
}

static void several_volumes_are_made_by_one_change(void **state)
{
    (void)state;
    static const char *const words[] = {"a", "b", NULL};
    auto_strv struct strv names = list(words);
    struct volume_new o = {.size = "1GiB"};
    struct fixture f = {0};

    open(&f);
    assert_int_equal(volume_create_all(&f.m, &names, &o, &f.e), 0);
    assert_non_null(node_get(f.volumes, "a"));
    assert_non_null(node_get(f.volumes, "b"));
    close(&f);
}

static void every_volume_that_cannot_be_deleted_is_named(void **state)
{
    (void)state;
    static const char *const words[] = {"disk", "used", "no", NULL};
    auto_strv struct strv names = list(words);
    struct fixture f = {0};

    open(&f);
    refused(volume_delete_all(&f.m, &names, true, &f.e), &f.e, ERR_CONFLICT,
            "disk has the clone web; delete that first\n"
            "volume used is attached to q-1; `slipway volume detach used` before deleting it\n"
            "there is no volume no");
    close(&f);
}

static void snapshots_are_made_and_deleted_together(void **state)
{
    (void)state;
    static const char *const words[] = {"s", "t", "u v", "x", NULL}, *const more[] = {"u", "v",
                                                                                      NULL};
    auto_strv struct strv bad = list(words), good = list(more);
    struct fixture f = {0};

    open(&f);
    refused(volume_snapshot_all(&f.m, "disk", &bad, false, &f.e), &f.e, ERR_CONFLICT,
            "volume disk has a snapshot s already\n"
            "volume disk has a snapshot t already\n"
            "snapshot \"u v\": a name is 1 to 64 letters, digits, _ . -, and begins with a letter "
            "or digit");
    refused(volume_snapshot_all(&f.m, "disk", &bad, true, &f.e), &f.e, ERR_CONFLICT,
            "disk@s has the clone web; delete that first\n"
            "volume disk has no snapshot u v");
    assert_int_equal(volume_snapshot_all(&f.m, "disk", &good, false, &f.e), 0);
    assert_int_equal(volume_snapshot_all(&f.m, "disk", &good, true, &f.e), 0);
    close(&f);
}

static void what_agents_say_is_found_by_volume_and_pool(void **state)
{
    (void)state;
    static const char *const said[] = {
        "hook apply: status 1: volume a: in use by q-1; detach it\nvolume ab: no",
        "pool fast is full: its quota is used up | volume a: its image is gone | 3 more",
        "volume a: in use by q-1; detach it", "active", NULL};
    auto_strv struct strv texts = list(said);
    auto_node struct node *row = from_yaml("{name: a, pool: fast}"),
                          *other = from_yaml("{name: c, pool: volumes, data_pool: fast}"),
                          *well = from_yaml("{name: b, pool: volumes}");
    auto_free char *text = NULL, *second = NULL;

    volume_trouble_add(row, &texts);
    volume_trouble_add(other, &texts);
    volume_trouble_add(well, &texts);
    text = json_text(node_get(row, "problems"));
    assert_string_equal(text, "[\"volume a: in use by q-1; detach it\",\"volume a: its image is "
                              "gone\",\"pool fast is full: its quota is used up\"]");
    second = json_text(node_get(other, "problems"));
    assert_string_equal(second, "[\"pool fast is full: its quota is used up\"]");
    assert_null(node_get(well, "problems"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_wrong_with_new_volumes_is_said_once),
        cmocka_unit_test(several_volumes_are_made_by_one_change),
        cmocka_unit_test(every_volume_that_cannot_be_deleted_is_named),
        cmocka_unit_test(snapshots_are_made_and_deleted_together),
        cmocka_unit_test(what_agents_say_is_found_by_volume_and_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

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
#include "conf/json.h"
#include "conf/yaml.h"
#include "fake/text.h"

/* `disk` is free, `used` is served by q-1, `base` is a template with the clone `web`. */
struct fixture {
    struct node *volumes, *pools, *attached;
    struct volume_maps m;
    struct err e;
};

static void open(struct fixture *f)
{
    f->volumes =
        from_yaml("disk: {pool: volumes, size: 10GiB, snapshots: {s: {size: 8GiB}}}\n"
                  "used: {size: 1GiB}\n"
                  "base: {size: 2GiB, template: true, snapshots: {template: {size: 2GiB}}}\n"
                  "web: {size: 2GiB, from: base@template}\n"
                  "going: {size: 1GiB, absent: true}\n");
    f->pools = from_yaml("volumes: {size: 3}\ncold: {kind: erasure, k: 2, m: 1}\n"
                         "fast: {size: 2, data_pool: cold}\n");
    f->attached = from_yaml("[{volume: used, instance: q-1, component: q, read_only: false}]");
    f->m = (struct volume_maps){.volumes = f->volumes, .pools = f->pools, .attached = f->attached};
}

static void close(struct fixture *f)
{
    node_free(f->volumes);
    node_free(f->pools);
    node_free(f->attached);
}

static void assert_json(const struct node *n, const char *want)
{
    auto_free char *text = json_text(n);

    assert_string_equal(text, want);
}

#define refused(call, code_, sentence)                                                             \
    do {                                                                                           \
        assert_int_equal(call, -1);                                                                \
        assert_string_equal(f.e.msg, sentence);                                                    \
        assert_int_equal(f.e.code, code_);                                                         \
    } while (0)

static void names_are_checked(void **state)
{
    (void)state;
    struct fixture f = {0};
    static const char longest[] = "A234567890123456789012345678901"
                                  "23456789012345678901234567890123";
    static const char too_long[] = "A2345678901234567890123456789012345678901234567890123456"
                                   "789012345";
    static const char *const good[] = {"a", "0", "web-1.data_x", longest};
    static const char *const bad[] = {"",    "-a",       ".a",  "_a",  "a b",   "a/b",
                                      "a@b", "\xc3\xa4", "a\n", "a;b", too_long};

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(volume_check_name("volume", good[i], &f.e), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(volume_check_name("volume", bad[i], &f.e), -1);
    refused(volume_check_name("volume", "a b", &f.e), ERR_CONFIG,
            "volume \"a b\": a name is 1 to 64 letters, digits, _ . -, and begins with a letter or "
            "digit");
}

static void sizes_are_whole_mebibytes_up_to_64_tebibytes(void **state)
{
    (void)state;
    struct fixture f = {0};
    int64_t bytes;

    assert_int_equal(volume_parse_size(&bytes, "64TiB", &f.e), 0);
    assert_int_equal(bytes, (int64_t)64 << 40);
    assert_int_equal(volume_parse_size(&bytes, "1MiB", &f.e), 0);
    refused(volume_parse_size(&bytes, "65TiB", &f.e), ERR_CONFIG,
            "size 65TiB: 1MiB to 64TiB are allowed");
    refused(volume_parse_size(&bytes, "1KiB", &f.e), ERR_CONFIG,
            "size 1KiB: 1MiB to 64TiB are allowed");
    refused(volume_parse_size(&bytes, "1537KiB", &f.e), ERR_CONFIG,
            "size 1537KiB: whole MiB are allowed");
    refused(volume_parse_size(&bytes, "-1", &f.e), ERR_CONFIG,
            "\"-1\" is not a size; write it like 10GiB");
    assert_int_equal(volume_parse_size(&bytes, "10 GB", &f.e), -1);
    assert_int_equal(volume_parse_size(&bytes, "1.5g", &f.e), 0);
    assert_int_equal(bytes, (int64_t)3 << 29);
    assert_int_equal(volume_parse_size(&bytes, "99999999999TiB", &f.e), -1);
    assert_int_equal(volume_parse_size(&bytes, "", &f.e), -1);
}

static void the_same_volume_a_second_time_is_well(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct volume_new n = {.size = "1GiB"};
    struct volume_attach a = {.instance = "q-1"};
    auto_node struct node *served = node_new_map();

    open(&f);
    assert_int_equal(volume_create(&f.m, "new", &n, &f.e), 0);
    node_set_int(node_get(f.volumes, "new"), "created", 7);
    n.size = "1024MiB";
    assert_int_equal(volume_create(&f.m, "new", &n, &f.e), 0);
    assert_json(node_get(f.volumes, "new"),
                "{\"pool\":\"volumes\",\"size\":\"1GiB\",\"created\":7}");
    n.data_pool = "cold";
    refused(volume_create(&f.m, "new", &n, &f.e), ERR_CONFLICT,
            "there is a volume new already, without data pool");
    assert_int_equal(volume_attach(&f.m, served, "used", &a, &f.e), 0);
    assert_int_equal(served->count, 0);
    close(&f);
}

static void a_volume_is_created_in_the_document(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct volume_new n = {.size = "1024MiB"}, cold = {.size = "1GiB", .data_pool = "cold"};

    open(&f);
    assert_int_equal(volume_create(&f.m, "new", &n, &f.e), 0);
    assert_json(node_get(f.volumes, "new"), "{\"pool\":\"volumes\",\"size\":\"1GiB\"}");
    assert_int_equal(volume_create(&f.m, "new2", &cold, &f.e), 0);
    assert_json(node_get(f.volumes, "new2"),
                "{\"pool\":\"volumes\",\"size\":\"1GiB\",\"data_pool\":\"cold\"}");
    refused(volume_create(&f.m, "disk", &n, &f.e), ERR_CONFLICT,
            "there is a volume disk already, with size 10GiB");
    refused(volume_create(&f.m, "going", &n, &f.e), ERR_CONFLICT,
            "there is a volume going already, about to be deleted");
    n.pool = "volume";
    refused(volume_create(&f.m, "x", &n, &f.e), ERR_NOTFOUND,
            "there is no pool volume (did you mean volumes?)");
    n.pool = "cold";
    refused(volume_create(&f.m, "x", &n, &f.e), ERR_CONFIG,
            "pool cold is erasure coded and holds only the data of volumes; name it with "
            "--data-pool");
    n.size = NULL;
    refused(volume_create(&f.m, "x", &n, &f.e), ERR_CONFIG, "volume x needs a size");
    assert_null(node_get(f.volumes, "x"));
    close(&f);
}

static void a_copy_has_the_size_of_what_it_is_made_from(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct volume_new n = {.from = "disk@s"};

    open(&f);
    assert_int_equal(volume_create(&f.m, "a", &n, &f.e), 0);
    assert_json(node_get(f.volumes, "a"),
                "{\"pool\":\"volumes\",\"size\":\"8GiB\",\"from\":\"disk@s\"}");
    n.from = "base";
    assert_int_equal(volume_create(&f.m, "b", &n, &f.e), 0);
    assert_json(node_get(f.volumes, "b"),
                "{\"pool\":\"volumes\",\"size\":\"2GiB\",\"from\":\"base@template\"}");
    n.size = "1GiB";
    refused(volume_create(&f.m, "c", &n, &f.e), ERR_CONFIG,
            "volume c cannot be smaller than base@template");
    n = (struct volume_new){.from = "disk"};
    refused(volume_create(&f.m, "c", &n, &f.e), ERR_CONFIG,
            "volume disk is not a template: name a snapshot, as disk@SNAPSHOT, or make it one with "
            "`slipway volume template disk`");
    n.from = "disk@t";
    refused(volume_create(&f.m, "c", &n, &f.e), ERR_NOTFOUND, "volume disk has no snapshot t");
    n.from = "dis@s";
    refused(volume_create(&f.m, "c", &n, &f.e), ERR_NOTFOUND,
            "there is no volume dis (did you mean disk?)");
    close(&f);
}

static void a_volume_shrinks_only_by_force(void **state)
{
    (void)state;
    struct fixture f = {0};

    open(&f);
    assert_int_equal(volume_resize(&f.m, "disk", "20GiB", false, &f.e), 0);
    assert_string_equal(node_get_text(node_get(f.volumes, "disk"), "size"), "20GiB");
    assert_null(node_get(node_get(f.volumes, "disk"), "shrink"));
    refused(volume_resize(&f.m, "disk", "1GiB", false, &f.e), ERR_CONFLICT,
            "volume disk has 20GiB: making it smaller cuts off data; --force does it");
    assert_int_equal(volume_resize(&f.m, "disk", "1GiB", true, &f.e), 0);
    assert_true(node_get_bool(node_get(f.volumes, "disk"), "shrink", false));
    volume_forget(&f.m, "disk");
    assert_null(node_get(node_get(f.volumes, "disk"), "shrink"));
    refused(volume_resize(&f.m, "base", "9GiB", false, &f.e), ERR_CONFLICT,
            "volume base is a template and does not change");
    close(&f);
}

static void what_is_used_is_not_deleted(void **state)
{
    (void)state;
    struct fixture f = {0};

    open(&f);
    refused(volume_delete(&f.m, "used", true, &f.e), ERR_CONFLICT,
            "volume used is attached to q-1; `slipway volume detach used` before deleting it");
    refused(volume_delete(&f.m, "base", true, &f.e), ERR_CONFLICT,
            "base has the clone web; delete that first");
    refused(volume_delete(&f.m, "disk", false, &f.e), ERR_CONFLICT,
            "volume disk has 1 snapshot; --force deletes it too");
    assert_int_equal(volume_delete(&f.m, "disk", true, &f.e), 0);
    assert_json(node_get(f.volumes, "disk"),
                "{\"pool\":\"volumes\",\"size\":\"10GiB\","
                "\"snapshots\":{\"s\":{\"size\":\"8GiB\",\"absent\":true}},"
                "\"absent\":true}");
    refused(volume_delete(&f.m, "disk", true, &f.e), ERR_NOTFOUND, "there is no volume disk");
    volume_forget(&f.m, "disk");
    assert_null(node_get(f.volumes, "disk"));
    assert_int_equal(volume_delete(&f.m, "web", false, &f.e), 0);
    /* its clone is on the way out */
    assert_int_equal(volume_delete(&f.m, "base", true, &f.e), 0);
    close(&f);
}

static void snapshots_come_and_go(void **state)
{
    (void)state;
    struct fixture f = {0};
    const struct strv gone = {.items = (char *[]){(char[]){"t"}, NULL}, .count = 1};

    open(&f);
    assert_int_equal(volume_snapshot(&f.m, "used", "t", &f.e), 0);
    assert_json(node_get(f.volumes, "used"),
                "{\"size\":\"1GiB\",\"snapshots\":{\"t\":{\"size\":\"1GiB\"}}}");
    refused(volume_snapshot(&f.m, "used", "t", &f.e), ERR_CONFLICT,
            "volume used has a snapshot t already");
    assert_int_equal(volume_snapshot(&f.m, "used", "a@b", &f.e), -1);
    assert_int_equal(volume_snapshot_delete(&f.m, "used", "t", &f.e), 0);
    volume_forget_snapshots(&f.m, "used", &gone);
    assert_json(node_get(f.volumes, "used"), "{\"size\":\"1GiB\"}");
    refused(volume_snapshot_delete(&f.m, "used", "t", &f.e), ERR_NOTFOUND,
            "volume used has no snapshot t");
    refused(volume_snapshot_delete(&f.m, "base", "template", &f.e), ERR_CONFLICT,
            "base@template has the clone web; delete that first");
    node_remove(f.volumes, "web");
    refused(volume_snapshot_delete(&f.m, "base", "template", &f.e), ERR_CONFLICT,
            "volume base is a template; this snapshot is what it is of");
    close(&f);
}

static void a_volume_goes_back_only_while_nobody_uses_it(void **state)
{
    (void)state;
    struct fixture f = {0};

    open(&f);
    /* What a killed mkfs left is not in it any more. */
    node_set_bool(node_get(f.volumes, "disk"), "formatting", true);
    assert_int_equal(volume_rollback(&f.m, "disk", "s", 7, &f.e), 0);
    assert_null(node_find(f.volumes, "disk.formatting"));
    assert_json(node_find(f.volumes, "disk.rollback"), "{\"to\":\"s\",\"serial\":7}");
    refused(volume_rollback(&f.m, "disk", "no", 8, &f.e), ERR_NOTFOUND,
            "volume disk has no snapshot no");
    assert_int_equal(volume_snapshot(&f.m, "used", "t", &f.e), 0);
    refused(volume_rollback(&f.m, "used", "t", 8, &f.e), ERR_CONFLICT,
            "volume used is attached to q-1; `slipway volume detach used` before going back to a "
            "snapshot");
    close(&f);
}

static void a_template_is_never_written_again(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct volume_attach a = {.instance = "q-1"};
    auto_node struct node *served = node_new_map();

    open(&f);
    assert_int_equal(volume_template(&f.m, "disk", &f.e), 0);
    assert_true(node_get_bool(node_get(f.volumes, "disk"), "template", false));
    assert_non_null(node_find(f.volumes, "disk.snapshots.template"));
    refused(volume_template(&f.m, "disk", &f.e), ERR_CONFLICT, "volume disk is a template already");
    assert_int_equal(volume_template(&f.m, "used", &f.e), -1);
    assert_int_equal(volume_attach(&f.m, served, "disk", &a, &f.e), -1);
    a.read_only = true;
    assert_int_equal(volume_attach(&f.m, served, "disk", &a, &f.e), 0);
    close(&f);
}

static void a_volume_has_one_writer(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct volume_attach a = {.instance = "q-2", .take_over = 12}, reader = {.instance = "q-2"};
    auto_node struct node *served = node_new_map();

    open(&f);
    assert_int_equal(volume_attach(&f.m, served, "disk", &a, &f.e), 0);
    assert_json(served, "{\"disk\":{\"pool\":\"volumes\",\"image\":\"disk\",\"size\":10737418240,"
                        "\"take_over\":12}}");
    refused(volume_attach(&f.m, served, "used", &a, &f.e), ERR_CONFLICT,
            "volume used is attached to q-1, and a volume has one writer; `slipway volume move "
            "used --to q-2` hands it over");
    reader.read_only = true;
    assert_int_equal(volume_attach(&f.m, served, "used", &reader, &f.e), -1);
    node_set_bool(f.attached->items[0], "read_only", true);
    assert_int_equal(volume_attach(&f.m, served, "used", &reader, &f.e), 0);
    a.instance = "q-1";
    refused(volume_attach(&f.m, served, "used", &a, &f.e), ERR_CONFLICT,
            "volume used is attached to q-1 already, for reading; `slipway volume detach used` "
            "first");
    close(&f);
}

static void an_attachment_is_found_by_its_volume(void **state)
{
    (void)state;
    struct fixture f = {0};
    const char *instance;

    open(&f);
    assert_int_equal(volume_attachment(&instance, &f.m, "used", NULL, &f.e), 0);
    assert_string_equal(instance, "q-1");
    refused(volume_attachment(&instance, &f.m, "disk", NULL, &f.e), ERR_NOTFOUND,
            "volume disk is not attached");
    refused(volume_attachment(&instance, &f.m, "used", "q-2", &f.e), ERR_NOTFOUND,
            "volume used is not attached to q-2");
    node_free(f.attached);
    f.attached = from_yaml("[{volume: x, instance: q-3}, {volume: used, instance: q-1},"
                           " {volume: used, instance: q-2}]");
    f.m.attached = f.attached;
    refused(volume_attachment(&instance, &f.m, "used", NULL, &f.e), ERR_CONFLICT,
            "volume used is attached to q-1 and to q-2; say which");
    assert_int_equal(volume_attachment(&instance, &f.m, "used", "q-2", &f.e), 0);
    assert_string_equal(instance, "q-2");
    close(&f);
}

static void pools_are_replicated_or_erasure_coded(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct volume_pool p = {.size = 3, .min_size = 2, .quota = "1024g"}, ec = {.k = 4, .m = 2};

    open(&f);
    assert_int_equal(volume_pool_create(&f.m, "new", &p, &f.e), 0);
    assert_json(node_get(f.pools, "new"),
                "{\"size\":3,\"min_size\":2,\"quota\":\"1TiB\",\"application\":\"rbd\"}");
    assert_int_equal(volume_pool_create(&f.m, "ec", &ec, &f.e), 0);
    assert_json(node_get(f.pools, "ec"),
                "{\"kind\":\"erasure\",\"k\":4,\"m\":2,\"application\":\"rbd\"}");
    assert_int_equal(volume_pool_create(&f.m, "new", &p, &f.e), 0);
    p.min_size = 1;
    refused(volume_pool_create(&f.m, "new", &p, &f.e), ERR_CONFLICT,
            "there is a pool new already, of another kind");
    p.min_size = 4;
    refused(volume_pool_create(&f.m, "x", &p, &f.e), ERR_CONFIG, "pool x: min_size 4 of 3 copies");
    p = (struct volume_pool){.k = 2};
    refused(volume_pool_create(&f.m, "x", &p, &f.e), ERR_CONFIG,
            "pool x: an erasure-coded pool needs k and m");
    p = (struct volume_pool){.k = 2, .m = 1, .size = 3};
    refused(volume_pool_create(&f.m, "x", &p, &f.e), ERR_CONFIG, "pool x: either size, or k and m");
    p = (struct volume_pool){.quota = "much"};
    refused(volume_pool_create(&f.m, "x", &p, &f.e), ERR_CONFIG,
            "\"much\" is not a size; write it like 10GiB");
    close(&f);
}

static void a_pool_in_use_is_not_deleted(void **state)
{
    (void)state;
    struct fixture f = {0};

    open(&f);
    refused(volume_pool_delete(&f.m, "volumes", &f.e), ERR_CONFLICT,
            "pool volumes holds the volume disk; delete that first");
    refused(volume_pool_delete(&f.m, "cold", &f.e), ERR_CONFLICT,
            "pool fast keeps its data in pool cold");
    refused(volume_pool_delete(&f.m, "fas", &f.e), ERR_NOTFOUND,
            "there is no pool fas (did you mean fast?)");
    assert_int_equal(volume_pool_delete(&f.m, "fast", &f.e), 0);
    assert_true(node_get_bool(node_get(f.pools, "fast"), "absent", false));
    close(&f);
}

static void an_order_to_delete_a_pool_is_repeated_or_taken_back(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct volume_pool p = {.size = 2};

    open(&f);
    assert_int_equal(volume_pool_delete(&f.m, "fast", &f.e), 0);
    assert_int_equal(volume_pool_delete(&f.m, "fast", &f.e), 0);
    assert_int_equal(volume_pool_create(&f.m, "fast", &p, &f.e), 0);
    assert_json(node_get(f.pools, "fast"), "{\"size\":2,\"application\":\"rbd\"}");
    close(&f);
}

static struct spec *decode(const struct node *document, struct catalog **catalog)
{
    static const char *const DIRS[] = {"components"};
    struct problems p;
    struct spec *s;

    problems_init(&p, "test");
    if (!*catalog && catalog_load(catalog, DIRS, ARRAY_LEN(DIRS), &p) < 0)
        fail_msg("%s", p.lines.items[0]);
    s = spec_decode(document, *catalog, &p);
    if (!s)
        fail_msg("%s", p.lines.items[0]);
    problems_clear(&p);
    return s;
}

static void a_file_forgets_no_volume_that_commands_made(void **state)
{
    (void)state;
    struct catalog *catalog = NULL;
    auto_node struct node *file = from_yaml(
        "{name: t, components: {etcd: {}, ceph-mon: {}, ceph-osd: {}, "
        "ceph-mgr: {config: {volumes: {a: {size: 2GiB}}}}, volumedriver-qemu: {instances: 1}}}");
    auto_node struct node *old = from_yaml(
        "{name: t, components: {ceph-mgr: {config: {autoscale: false, pools: {p: {size: 2}}, "
        "volumes: {a: {size: 1GiB, snapshots: {s: {}}}, b: {size: 1GiB}}}}, "
        "volumedriver-qemu: {instances: 2, overrides: {volumedriver-qemu-1: {config: "
        "{volumes: {b: {image: b}, c: {absent: true}}}}, "
        "volumedriver-qemu-2: {config: {volumes: {a: {image: a}}}}}}}}");
    struct spec *s = decode(file, &catalog), *again;
    auto_node struct node *document = node_copy(s->document);

    assert_true(volume_keep(document, s, old));
    again = decode(document, &catalog);
    assert_json(node_get(volume_provisioner(again)->config, "volumes"),
                "{\"a\":{\"size\":\"2GiB\",\"snapshots\":{\"s\":{}}},\"b\":{\"size\":\"1GiB\"}}");
    assert_json(node_get(volume_provisioner(again)->config, "pools"), "{\"p\":{\"size\":2}}");
    assert_string_equal(node_get_text(volume_provisioner(again)->config, "autoscale"), "true");
    {
        auto_node struct node *attached = volume_attachments(again);

        assert_int_equal(attached->count, 2);
        assert_string_equal(node_get_text(attached->items[0], "instance"), "volumedriver-qemu-1");
        assert_true(node_get_bool(attached->items[1], "detaching", false));
    }
    assert_false(volume_keep(document, again, document));
    spec_free(again);
    spec_free(s);
    catalog_free(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(a_file_forgets_no_volume_that_commands_made),
        cmocka_unit_test(sizes_are_whole_mebibytes_up_to_64_tebibytes),
        cmocka_unit_test(a_volume_is_created_in_the_document),
        cmocka_unit_test(the_same_volume_a_second_time_is_well),
        cmocka_unit_test(a_copy_has_the_size_of_what_it_is_made_from),
        cmocka_unit_test(a_volume_shrinks_only_by_force),
        cmocka_unit_test(what_is_used_is_not_deleted),
        cmocka_unit_test(snapshots_come_and_go),
        cmocka_unit_test(a_volume_goes_back_only_while_nobody_uses_it),
        cmocka_unit_test(a_template_is_never_written_again),
        cmocka_unit_test(a_volume_has_one_writer),
        cmocka_unit_test(an_attachment_is_found_by_its_volume),
        cmocka_unit_test(pools_are_replicated_or_erasure_coded),
        cmocka_unit_test(a_pool_in_use_is_not_deleted),
        cmocka_unit_test(an_order_to_delete_a_pool_is_repeated_or_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

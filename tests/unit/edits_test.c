/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/json.h"
#include "conf/yaml.h"
#include "model/edits.h"

static const char DOCUMENT[] = "name: demo\n"
                               "components:\n"
                               "  etcd: {instances: 1}\n"
                               "  ceph-mgr: {instances: 1, config: {volumes: {a: {size: 1GiB}}}}\n"
                               "  volumedriver-fuse: {instances: 2}\n";

struct fixture {
    struct catalog *catalog;
    struct node *document;
    struct edits edits;
};

static void load(struct fixture *f)
{
    static const char *const dirs[] = {"components"};
    struct problems p;
    struct err e;

    problems_init(&p, "components");
    if (catalog_load(&f->catalog, dirs, 1, &p) < 0)
        fail_msg("%s", p.lines.items[0]);
    problems_clear(&p);
    if (yaml_parse(&f->document, "test", DOCUMENT, strlen(DOCUMENT), &e) < 0)
        fail_msg("%s", e.msg);
    edits_find(&f->edits, "demo", f->document, f->catalog);
}

static void clear(struct fixture *f)
{
    edits_clear(&f->edits);
    node_free(f->document);
    catalog_free(f->catalog);
}

static char *text_at(const struct fixture *f, const char *path)
{
    const struct node *n = node_find(f->document, path);

    return n ? json_text(n) : mem_strdup("none");
}

static void a_word_names_a_key_of_the_instance_or_of_a_component(void **state)
{
    char *component, *name;

    (void)state;
    edits_split(&component, &name, "ceph-mgr/volumes");
    assert_string_equal(component, "ceph-mgr");
    assert_string_equal(name, "volumes");
    free(component);
    free(name);
    edits_split(&component, &name, "volumes");
    assert_null(component);
    assert_string_equal(name, "volumes");
    free(name);
}

static void every_instance_has_its_key_and_a_component_one(void **state)
{
    struct fixture f = {0};

    (void)state;
    load(&f);
    assert_int_equal(f.edits.count, 3);
    assert_true(edits_has(&f.edits, "/slipway/demo/components/ceph-mgr/config/volumes"));
    assert_true(edits_has(&f.edits, "/slipway/demo/instances/volumedriver-fuse-1/config/volumes"));
    assert_true(edits_has(&f.edits, "/slipway/demo/instances/volumedriver-fuse-2/config/volumes"));
    assert_false(edits_has(&f.edits, "/slipway/demo/instances/volumedriver-fuse-3/config/volumes"));
    clear(&f);
}

static void what_is_newer_than_the_document_is_taken_in_whole_and_the_rest_left_alone(void **state)
{
    static const struct {
        const char *key, *value;
        int64_t revision;
    } rows[] = {
        {"/slipway/demo/components/ceph-mgr/config/volumes", "{\"b\":{\"size\":\"2GiB\"}}", 12},
        {"/slipway/demo/instances/volumedriver-fuse-1/config/volumes", "{\"b\":{}}", 10},
        {"/slipway/demo/instances/volumedriver-fuse-2/config/volumes", "broken", 12},
    };
    struct etcd_kvs kvs = {0};
    struct fixture f = {0};
    auto_free char *made = NULL;
    auto_free char *served = NULL;
    auto_free char *broken = NULL;

    (void)state;
    load(&f);
    kvs.items = mem_array(ARRAY_LEN(rows), sizeof(*kvs.items));
    for (; kvs.count < ARRAY_LEN(rows); kvs.count++)
        kvs.items[kvs.count] = (struct etcd_kv){.key = mem_strdup(rows[kvs.count].key),
                                                .value = mem_strdup(rows[kvs.count].value),
                                                .value_len = strlen(rows[kvs.count].value),
                                                .mod_revision = rows[kvs.count].revision};
    edits_adopt(f.document, &f.edits, &kvs, 10);
    made = text_at(&f, "components.ceph-mgr.config.volumes");
    served = text_at(&f, "components.volumedriver-fuse.overrides.volumedriver-fuse-1");
    broken = text_at(&f, "components.volumedriver-fuse.overrides.volumedriver-fuse-2.config");
    assert_string_equal(made, "{\"b\":{\"size\":\"2GiB\"}}");
    assert_string_equal(served, "none");
    assert_string_equal(broken, "none");
    etcd_kvs_clear(&kvs);
    clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_names_a_key_of_the_instance_or_of_a_component),
        cmocka_unit_test(every_instance_has_its_key_and_a_component_one),
        cmocka_unit_test(what_is_newer_than_the_document_is_taken_in_whole_and_the_rest_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

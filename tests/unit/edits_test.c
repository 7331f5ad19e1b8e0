/* SPDX-License-Identifier: MIT */
// wrap: etcd_get etcd_range_many
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

/* ---- etcd as the test says ---- */

enum { STORED = 10 };

static int64_t edited_at; /* revision at which the manager's volumes were changed */
static const char *stored_value;

int __wrap_etcd_get(struct etcd_kv *out, struct etcd *c, const char *key, struct err *e);
int __wrap_etcd_get(struct etcd_kv *out, struct etcd *c, const char *key, struct err *e)
{
    (void)c;
    (void)e;
    *out = (struct etcd_kv){.key = mem_strdup(key),
                            .value = mem_strdup(stored_value),
                            .value_len = strlen(stored_value),
                            .mod_revision = STORED};
    return 0;
}

int __wrap_etcd_range_many(struct etcd_kvs *out, struct etcd *c, const char *const *names,
                           size_t count, struct err *e);
int __wrap_etcd_range_many(struct etcd_kvs *out, struct etcd *c, const char *const *names,
                           size_t count, struct err *e)
{
    static const char VALUE[] = "{\"edited\":{\"size\":\"2GiB\"}}";

    (void)c;
    (void)names;
    (void)e;
    assert_int_equal(count, 2);
    out->items = mem_array(1, sizeof(*out->items));
    out->items[out->count++] =
        (struct etcd_kv){.key = mem_strdup("/slipway/demo/components/ceph-mgr/config/volumes"),
                         .value = mem_strdup(VALUE),
                         .value_len = sizeof(VALUE) - 1,
                         .mod_revision = edited_at};
    return 0;
}

static void the_newer_of_the_stored_document_and_an_edit_counts(void **state)
{
    static const struct {
        int64_t edited_at;
        const char *volumes;
    } rows[] = {
        {STORED - 1, "{\"stored\":{\"size\":\"1GiB\"}}"},
        {STORED, "{\"stored\":{\"size\":\"1GiB\"}}"},
        {STORED + 1, "{\"edited\":{\"size\":\"2GiB\"}}"},
    };
    struct fixture f = {0};

    (void)state;
    load(&f);
    stored_value = "{\"document\":{\"name\":\"demo\",\"components\":{\"volumedriver-fuse\":{},"
                   "\"ceph-mgr\":{\"config\":{\"volumes\":{\"stored\":{\"size\":\"1GiB\"}}}}}}}";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_free char *volumes = NULL;
        struct edits_document d = {0};
        struct err e;

        edited_at = rows[i].edited_at;
        assert_int_equal(edits_document_read(&d, NULL, "demo", f.catalog, &e), 0);
        volumes = json_text(node_find(d.document, "components.ceph-mgr.config.volumes"));
        assert_string_equal(volumes, rows[i].volumes);
        assert_int_equal(d.mod_revision, STORED);
        edits_document_clear(&d);
    }
    clear(&f);
}

static void a_stored_value_without_a_document_is_not_found(void **state)
{
    struct edits_document d = {0};
    struct err e;

    (void)state;
    stored_value = "{}";
    assert_int_equal(edits_document_read(&d, NULL, "demo", NULL, &e), -1);
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_null(d.document);
    edits_document_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_names_a_key_of_the_instance_or_of_a_component),
        cmocka_unit_test(every_instance_has_its_key_and_a_component_one),
        cmocka_unit_test(what_is_newer_than_the_document_is_taken_in_whole_and_the_rest_left_alone),
        cmocka_unit_test(the_newer_of_the_stored_document_and_an_edit_counts),
        cmocka_unit_test(a_stored_value_without_a_document_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/applied.h"

static void the_hash_does_not_depend_on_order_or_reports(void **state)
{
    auto_node struct node *a = node_new_map();
    auto_node struct node *b = node_new_map();
    char x[65], y[65];

    (void)state;
    node_set_text(a, "/slipway/d/components/c/config/k", "1");
    node_set_text(a, "/slipway/d/instances/c-1/meta", "{}");
    node_set_text(b, "/slipway/d/instances/c-1/meta", "{}");
    node_set_text(b, "/slipway/d/instances/c-1/applied", "{\"revision\":3}");
    node_set_text(b, "/slipway/d/components/c/config/k", "1");
    applied_hash(x, a, "c", "c-1");
    applied_hash(y, b, "c", "c-1");
    assert_string_equal(x, y);
    node_set_text(b, "/slipway/d/components/c/config/k", "2");
    applied_hash(y, b, "c", "c-1");
    assert_string_not_equal(x, y);
}

static void the_hash_is_over_what_the_instance_reads(void **state)
{
    static const struct {
        const char *key;
        bool is_read;
    } rows[] = {
        {"/slipway/d/components/c/config/k", true},   {"/slipway/d/components/c/once", false},
        {"/slipway/d/components/c/shared/k", true},   {"/slipway/d/components/cc/config/k", false},
        {"/slipway/d/instances/c-1/applied", false},  {"/slipway/d/instances/c-1/config/k", true},
        {"/slipway/d/instances/c-1/meta", true},      {"/slipway/d/instances/c-1/secrets/k", true},
        {"/slipway/d/instances/c-1/status", false},   {"/slipway/d/instances/c-10/meta", false},
        {"/slipway/d/instances/c-2/config/k", false}, {"/slipway/d/spec", false},
    };
    struct etcd_kvs kvs = {0};
    auto_node struct node *read = node_new_map(), *all = node_new_map();
    char x[65], y[65], z[65];

    (void)state;
    kvs.items = mem_array(ARRAY_LEN(rows), sizeof(*kvs.items));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(applied_is_read(rows[i].key, "c", "c-1"), rows[i].is_read);
        node_set_text(all, rows[i].key, "v");
        if (rows[i].is_read)
            node_set_text(read, rows[i].key, "v");
        kvs.items[kvs.count++] = (struct etcd_kv){.key = mem_strdup(rows[i].key),
                                                  .value = mem_strdup("v"),
                                                  .value_len = 1,
                                                  .mod_revision = (int64_t)i + 1};
    }
    applied_hash(x, read, "c", "c-1");
    applied_hash(y, all, "c", "c-1");
    assert_string_equal(x, y);
    assert_int_equal(applied_hash_stored(z, &kvs, "d", "c", "c-1"), 8);
    assert_string_equal(x, z);
    etcd_kvs_clear(&kvs);
}

static void a_configuration_key_named_status_is_no_report(void **state)
{
    (void)state;
    assert_true(applied_is_report("/slipway/d/instances/c-1/status"));
    assert_true(applied_is_report("/slipway/d/components/c/once.lock"));
    assert_false(applied_is_report("/slipway/d/components/c/config/status"));
    assert_false(applied_is_report("/slipway/d/instances/c-1/meta"));
}

static void whoever_was_ready_once_had_data_for_good(void **state)
{
    static const struct {
        const char *text;
        bool had;
    } rows[] = {
        {"{\"result\":\"ok\"}", true},
        {"{\"result\":\"failed\",\"data\":true}", true},
        {"{\"result\":\"failed\"}", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(applied_had_data(rows[i].text), rows[i].had);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_does_not_depend_on_order_or_reports),
        cmocka_unit_test(the_hash_is_over_what_the_instance_reads),
        cmocka_unit_test(whoever_was_ready_once_had_data_for_good),
        cmocka_unit_test(a_configuration_key_named_status_is_no_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
// fake: planned
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake/planned.h"
#include "model/grow.h"

static void add(struct etcd_kvs *kvs, const char *key, const char *value)
{
    if (value)
        kvs->items[kvs->count++] = (struct etcd_kv){
            .key = mem_strdup(key), .value = mem_strdup(value), .value_len = strlen(value)};
}

static void a_value_that_only_grows_is_compared_with_what_each_instance_has(void **state)
{
    static const struct {
        const char *document, *stored, *own, *applied, *refused; /* NULL: not there */
    } rows[] = {
        {"{size: 2GiB}", "2147483648", NULL, "ok", NULL},
        {"{size: 3GiB}", "2147483648", NULL, "ok", NULL},
        {"{size: 1GiB}", "2147483648", NULL, "ok", "ceph-osd-1 has 2GiB, and 1GiB would be"},
        {"{size: 1GiB}", "2147483648", NULL, "failed", NULL},
        {"{size: 1GiB}", "2147483648", NULL, NULL, NULL},
        {"{size: 1GiB}", NULL, NULL, "ok", NULL},
        {"{size: 2GiB}", "2147483648", "3221225472", "ok", "ceph-osd-1 has 3GiB, and 2GiB would"},
        {"{memory_target: 1GiB}", "1073741824", NULL, "ok", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_free char *document =
            mem_printf("name: demo\ncomponents:\n  etcd: {}\n  ceph-mon: {}\n"
                       "  ceph-osd: {instances: 1, config: %s}\n",
                       rows[i].document);
        auto_free char *applied =
            mem_printf("{\"result\":\"%s\"}", rows[i].applied ? rows[i].applied : "");
        struct etcd_kvs have = {.items = mem_array(3, sizeof(*have.items))};
        struct planned f = {0};
        struct err e = {0};
        const struct spec_component *c;

        /* In the order of the keys. */
        add(&have, "/slipway/demo/components/ceph-osd/config/size", rows[i].stored);
        add(&have, "/slipway/demo/instances/ceph-osd-1/applied", rows[i].applied ? applied : NULL);
        add(&have, "/slipway/demo/instances/ceph-osd-1/config/size", rows[i].own);
        planned_load(&f, document);
        c = spec_component(f.spec, "ceph-osd");
        assert_true(grow_applies(c->manifest));
        assert_int_equal(grow_check(f.spec, c, &have, &e), rows[i].refused ? -1 : 0);
        if (rows[i].refused)
            assert_non_null(strstr(e.msg, rows[i].refused));
        planned_clear(&f);
        etcd_kvs_clear(&have);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_that_only_grows_is_compared_with_what_each_instance_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

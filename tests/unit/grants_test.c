/* SPDX-License-Identifier: MIT */
// fake: planned
#include "plan/grants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake/planned.h"

static const struct etcd_role_grant *find(const struct grants *g, const char *key)
{
    for (size_t i = 0; i < g->count; i++)
        if (strcmp(g->items[i].key, key) == 0)
            return &g->items[i];
    return NULL;
}

static void every_report_of_a_thousand_instances_may_be_read(void **state)
{
    struct planned f = {0};
    char name[] = "editor";
    struct manifest m = {.name = name};
    auto_grants struct grants g = {0};
    const struct etcd_role_grant *edited;

    (void)state;
    planned_load(&f, PLANNED_DOCUMENT);
    strv_add(&m.edits, "sleeper/word");
    grants_of_component(&g, f.spec, &m);
    assert_int_equal(g.count, 3 + 1 + 1 + 1000);
    assert_non_null(find(&g, "/slipway/demo/instances/sleeper-1/applied"));
    assert_non_null(find(&g, "/slipway/demo/instances/sleeper-1000/applied"));
    edited = find(&g, "/slipway/demo/components/sleeper/config/word");
    assert_non_null(edited);
    assert_true(edited->write);
    assert_false(find(&g, "/slipway/demo/instances/sleeper-1000/applied")->write);
    strv_clear(&m.edits);
    planned_clear(&f);
}

static void as_many_keys_as_a_manifest_edits_may_be_written(void **state)
{
    char name[] = "editor";
    struct manifest m = {.name = name};
    auto_grants struct grants g = {0};

    (void)state;
    for (int i = 0; i < 300; i++)
        strv_addf(&m.edits, "key_%d", i);
    grants_of_instance(&g, "demo", "editor-1", &m);
    assert_int_equal(g.count, 3 + 300);
    assert_true(find(&g, "/slipway/demo/instances/editor-1/config/key_299")->write);
    strv_clear(&m.edits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_report_of_a_thousand_instances_may_be_read),
        cmocka_unit_test(as_many_keys_as_a_manifest_edits_may_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

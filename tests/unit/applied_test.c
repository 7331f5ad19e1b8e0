/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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
    applied_hash(x, a);
    applied_hash(y, b);
    assert_string_equal(x, y);
    node_set_text(b, "/slipway/d/components/c/config/k", "2");
    applied_hash(y, b);
    assert_string_not_equal(x, y);
}

static void a_configuration_key_named_status_is_no_report(void **state)
{
    (void)state;
    assert_true(applied_is_report("/slipway/d/instances/c-1/status"));
    assert_true(applied_is_report("/slipway/d/components/c/once.lock"));
    assert_false(applied_is_report("/slipway/d/components/c/config/status"));
    assert_false(applied_is_report("/slipway/d/instances/c-1/meta"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_does_not_depend_on_order_or_reports),
        cmocka_unit_test(a_configuration_key_named_status_is_no_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

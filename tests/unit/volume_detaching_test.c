/* SPDX-License-Identifier: MIT */
/* A volume whose driver is ordered to let go of it, and has not answered. */
#include "volumes/volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void who_has_not_let_go_keeps_others_away(void **state)
{
    (void)state;
    auto_node struct node *volumes = node_new_map(), *attached = node_new_list();
    auto_node struct node *served = node_new_map();
    const struct volume_maps m = {.volumes = volumes, .attached = attached};
    struct volume_attach other = {.instance = "q-2"}, same = {.instance = "q-1"};
    struct node *a = node_add(attached, node_new_map());
    struct node *entry = node_set(served, "used", node_new_map());
    struct err e;

    node_set_text(node_set(volumes, "used", node_new_map()), "size", "1GiB");
    node_set_text(a, "volume", "used");
    node_set_text(a, "instance", "q-1");
    node_set_bool(a, "detaching", true);
    node_set_bool(entry, "absent", true);
    node_set_bool(entry, "force", true);
    assert_int_equal(volume_attach(&m, served, "used", &other, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_string_equal(
        e.msg, "volume used is still served by q-1, which has not answered the order to detach it; "
               "`slipway volume move used --to q-2 --force` takes it over");
    /* Attached there again, the order is off. */
    assert_int_equal(volume_attach(&m, served, "used", &same, &e), 0);
    entry = node_get(served, "used");
    assert_string_equal(node_get_text(entry, "image"), "used");
    assert_false(node_get_bool(entry, "absent", false));
    assert_false(node_get_bool(entry, "force", false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_not_let_go_keeps_others_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

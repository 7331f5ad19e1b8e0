/* SPDX-License-Identifier: MIT */
#include "conf/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

static void set_replaces_a_key_and_keeps_its_place(void **state)
{
    (void)state;
    auto_node struct node *map = node_new_map();
    node_set_int(map, "a", 1);
    node_set_int(map, "b", 2);
    node_set_text(map, "a", "x");
    assert_int_equal(map->count, 2);
    assert_string_equal(map->items[0]->key, "a");
    assert_string_equal(node_get_text(map, "a"), "x");
    assert_true(node_remove(map, "a"));
    assert_false(node_remove(map, "a"));
    assert_null(node_get(map, "a"));
    assert_int_equal(node_get_int(map, "b", 0), 2);
}

static void growing_and_removing_keeps_every_item(void **state)
{
    (void)state;
    auto_node struct node *map = node_new_map();
    for (int i = 0; i < 100; i++) {
        auto_free char *key = mem_printf("k%d", i);

        node_set_int(map, key, i);
        if (i % 3 == 0)
            assert_true(node_remove(map, key));
    }
    assert_int_equal(map->count, 66);
    assert_int_equal(node_get_int(map, "k98", 0), 98);
}

static void integers_are_read_exactly_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"1e3", false, 0},
        {"1.0", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"0x10", false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_node struct node *n = node_new_string(rows[i].text);
        int64_t value = 0;

        assert_int_equal(node_to_int(n, &value), rows[i].ok);
        assert_true(value == rows[i].value);
    }
}

static void number_grammar_is_that_of_json(void **state)
{
    (void)state;
    static const char *const good[] = {"0", "-0", "10", "1.5", "1e9", "1E+2", "-1.25e-3"};
    static const char *const bad[] = {"",    "-",   "01", "1.",  ".5",  "1e", "+1",
                                      "0x1", "1_0", "1 ", "inf", "1e+", "--1"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(node_text_is_number(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(node_text_is_number(bad[i]));
}

static void find_walks_maps_and_lists(void **state)
{
    (void)state;
    auto_node struct node *root = node_new_map();
    struct node *list = node_set(root, "a", node_new_list());
    node_set_text(node_add(list, node_new_map()), "b", "deep");
    assert_string_equal(node_find(root, "a.0.b")->text, "deep");
    assert_null(node_find(root, "a.1.b"));
    assert_null(node_find(root, "a.x"));
    assert_null(node_find(root, "a.0.b.c"));
    assert_null(node_find(NULL, "a"));
}

static void equality_ignores_map_order_but_not_list_order(void **state)
{
    (void)state;
    auto_node struct node *a = node_new_map(), *b = node_new_map();
    node_set_int(a, "x", 1);
    node_set_int(a, "y", 2);
    node_set_int(b, "y", 2);
    node_set_int(b, "x", 1);
    assert_true(node_equal(a, b));
    node_sort(b);
    assert_string_equal(b->items[0]->key, "x");
    auto_node struct node *copy = node_copy(a);
    assert_true(node_equal(a, copy));
    node_set_text(copy, "x", "1");
    assert_false(node_equal(a, copy));
    auto_node struct node *l1 = node_new_list(), *l2 = node_new_list();
    node_add_text(l1, "1");
    node_add_text(l1, "2");
    node_add_text(l2, "2");
    node_add_text(l2, "1");
    assert_false(node_equal(l1, l2));
    assert_false(node_equal(NULL, l1));
    assert_true(node_equal(NULL, NULL));
}

static void the_first_repeated_key_is_the_duplicate(void **state)
{
    (void)state;
    auto_node struct node *map = node_new_map();
    static const char *const keys[] = {"z", "a", "b", "b", "z"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        node_append(map, keys[i], node_new_bool(true));
    assert_ptr_equal(node_duplicate(map), map->items[3]);
    assert_true(node_get_bool(map, "z", false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_replaces_a_key_and_keeps_its_place),
        cmocka_unit_test(growing_and_removing_keeps_every_item),
        cmocka_unit_test(integers_are_read_exactly_or_not_at_all),
        cmocka_unit_test(number_grammar_is_that_of_json),
        cmocka_unit_test(find_walks_maps_and_lists),
        cmocka_unit_test(equality_ignores_map_order_but_not_list_order),
        cmocka_unit_test(the_first_repeated_key_is_the_duplicate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

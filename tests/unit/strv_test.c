/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strv.h"

static void items_are_copied_and_the_list_ends_in_null(void **state)
{
    auto_strv struct strv v = {0};
    char text[] = "abc";

    (void)state;
    strv_add(&v, text);
    text[0] = 'X';
    strv_take(&v, mem_strdup("taken"));
    strv_addf(&v, "%d", 3);
    assert_int_equal(v.count, 3);
    assert_string_equal(v.items[0], "abc");
    assert_string_equal(v.items[2], "3");
    assert_null(v.items[3]);
}

static void a_thousand_items_stay_in_order(void **state)
{
    auto_strv struct strv v = {0};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        strv_addf(&v, "%04d", 999 - i);
        assert_null(v.items[v.count]);
    }
    strv_sort(&v);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(atol(v.items[i]), i);
}

static void of_copies_its_texts(void **state)
{
    char text[] = "b";
    auto_strv struct strv v = strv_of("a", text), none = strv_of(NULL);

    (void)state;
    text[0] = 'X';
    assert_int_equal(v.count, 2);
    assert_string_equal(v.items[1], "b");
    assert_null(v.items[2]);
    assert_int_equal(none.count, 0);
}

static void split_leaves_out_empty_parts(void **state)
{
    auto_strv struct strv v = {0};

    (void)state;
    strv_split(&v, ",,a, b,,c,", ", ");
    auto_free char *joined = strv_join(&v, "|");
    assert_string_equal(joined, "a|b|c");
}

static void an_empty_list_joins_to_nothing(void **state)
{
    auto_strv struct strv v = {0};

    (void)state;
    auto_free char *joined = strv_join(&v, ", ");
    assert_string_equal(joined, "");
    strv_sort(&v);
    assert_false(strv_has(&v, ""));
}

static void a_list_added_to_itself_is_doubled(void **state)
{
    auto_strv struct strv v = {0};

    (void)state;
    strv_add(&v, "a");
    strv_add(&v, "b");
    strv_add_all(&v, &v);
    auto_free char *joined = strv_join(&v, "");
    assert_string_equal(joined, "abab");
}

static void a_hint_names_the_nearest_word_when_it_is_near(void **state)
{
    static const struct {
        const char *word, *near;
    } rows[] = {
        {"memory_taget", "memory_target"},
        {"MEMORY", NULL},
        {"imgae", "image"},
        {"img", NULL},
        {"instanses", "instances"},
        {"intsanses", "instances"},
        {"intanses!", "instances"},
        {"intanse", NULL}, /* three edits of seven letters */
        {"stpo", "stop"},
        {"stp", "stop"},
        {"sotp", "stop"},
        {"top", NULL},
        {"shop", "stop"},
        {"shoe", NULL},
        {"upp", "up"},
        {"u", "up"},
        {"p", NULL},
        {"tsatus", "status"},
        {"x", NULL},
        {"", NULL},
        {"--", NULL},
        {"completely_else", NULL},
        {"--jsno", "--json"},
        {"--son", NULL},
        {"-json", "--json"},
    };
    auto_strv struct strv v = {0};

    (void)state;
    strv_split(&v, "memory_target image instances stop status up --json", " ");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_free char *hint = strv_hint(&v, rows[i].word);
        auto_free char *expected =
            rows[i].near ? mem_printf(" (did you mean %s?)", rows[i].near) : mem_strdup("");

        assert_string_equal(hint, expected);
    }
}

static void a_very_long_word_has_no_neighbour(void **state)
{
    auto_strv struct strv v = {0};
    auto_free char *same = NULL, *shorter = NULL;
    char text[5000];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    strv_add(&v, text);
    same = strv_hint(&v, text);
    shorter = strv_hint(&v, "short");
    assert_string_equal(same, "");
    assert_string_equal(shorter, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_copied_and_the_list_ends_in_null),
        cmocka_unit_test(a_thousand_items_stay_in_order),
        cmocka_unit_test(of_copies_its_texts),
        cmocka_unit_test(split_leaves_out_empty_parts),
        cmocka_unit_test(an_empty_list_joins_to_nothing),
        cmocka_unit_test(a_list_added_to_itself_is_doubled),
        cmocka_unit_test(a_hint_names_the_nearest_word_when_it_is_near),
        cmocka_unit_test(a_very_long_word_has_no_neighbour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

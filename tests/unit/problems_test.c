/* SPDX-License-Identifier: MIT */
#include "conf/problems.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void every_problem_is_in_the_message(void **state)
{
    (void)state;
    struct problems p;
    struct err e = {0};
    problems_init(&p, "f.yaml");
    assert_int_equal(problems_result(&p, &e), 0);
    struct node n = {.line = 3, .column = 7, .key_line = 3, .key_column = 1};
    problems_add(&p, &n, "is %d", 5);
    problems_add_key(&p, &n, "unknown");
    problems_add(&p, NULL, "no place\nand a second line");
    assert_int_equal(problems_result(&p, &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_string_equal(e.msg,
                        "f.yaml:3:1: unknown\nf.yaml:3:7: is 5\nf.yaml: no place?and a second "
                        "line");
    problems_clear(&p);
}

static void problems_of_one_file_stand_in_the_order_of_its_lines(void **state)
{
    (void)state;
    struct problems p;
    static const struct node places[] = {{.line = 5, .column = 1},
                                         {.line = 2, .column = 9},
                                         {.line = 2, .column = 3},
                                         {.line = 10, .column = 1}};
    problems_init(&p, "a");
    problems_add(&p, NULL, "whole");
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        problems_add(&p, &places[i], "%zu", i);
    p.name = "b";
    problems_add(&p, &places[1], "other");
    auto_free char *all = strv_join(&p.lines, "|");
    assert_string_equal(all, "a:2:3: 2|a:2:9: 1|a:5:1: 0|a:10:1: 3|a: whole|b:2:9: other");
    problems_clear(&p);
}

static void a_flood_of_problems_is_cut_and_counted(void **state)
{
    (void)state;
    struct problems p;
    struct err e = {0};
    problems_init(&p, "f");
    for (int i = 0; i < 1000; i++)
        problems_add(&p, NULL, "problem %d", i);
    assert_int_equal(p.lines.count, 200);
    assert_int_equal(p.count, 1000);
    assert_int_equal(problems_result(&p, &e), -1);
    assert_non_null(strstr(e.msg, "\n... and 8"));
    assert_true(strlen(e.msg) < ERR_MSG_MAX);
    problems_clear(&p);
}

static void a_very_long_sentence_still_says_something(void **state)
{
    (void)state;
    struct problems p;
    struct err e = {0};
    problems_init(&p, "f");
    auto_free char *text = mem_alloc(100001);
    memset(text, 'x', 100000);
    problems_add(&p, NULL, "%s", text);
    problems_add(&p, NULL, "second");
    assert_int_equal(problems_result(&p, &e), -1);
    assert_non_null(strstr(e.msg, "... and 1 more"));
    problems_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_problem_is_in_the_message),
        cmocka_unit_test(problems_of_one_file_stand_in_the_order_of_its_lines),
        cmocka_unit_test(a_flood_of_problems_is_cut_and_counted),
        cmocka_unit_test(a_very_long_sentence_still_says_something),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

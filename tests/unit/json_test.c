/* SPDX-License-Identifier: MIT */
// fake: text
#include "conf/json.h"
#include "conf/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake/text.h"

static void refuse(const char *text, size_t len, const char *message)
{
    struct err e = {0};
    struct node *n;

    assert_int_equal(json_parse(&n, "t", text, len, &e), -1);
    assert_null(n);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_string_equal(e.msg, message);
}

static void text_comes_back_as_it_was(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"a\":1,\"b\":[true,false,null,\"x\\ny\"],\"c\":{}}",
        "[9223372036854775807,-9223372036854775808,18446744073709551615,0.1,1e400,1.50]",
        "\"\\u0001\\\"\\\\ \xC3\xA4 \xF0\x9F\x98\x80\"",
        "[]",
        "-0",
        "{\"\":{\"A\":1,\"a\":2}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        auto_node struct node *n = from_json(texts[i]);
        auto_free char *text = json_text(n);

        assert_string_equal(text, texts[i]);
    }
}

static void escapes_are_decoded(void **state)
{
    (void)state;
    auto_node struct node *n = from_json("\"\\ud83d\\ude00\\/\\u00e4\"");
    assert_string_equal(n->text, "\xF0\x9F\x98\x80/\xC3\xA4");
}

static void values_and_keys_know_their_place(void **state)
{
    (void)state;
    auto_node struct node *n = from_json("{\n  \"\xC3\xA4\": [1,\n   22, {\"k\": \"v\"}]\n}");
    struct node *list = node_get(n, "\xC3\xA4");
    assert_int_equal(list->key_line, 2);
    assert_int_equal(list->key_column, 3);
    assert_int_equal(list->column, 8);
    assert_int_equal(list->items[1]->line, 3);
    assert_int_equal(list->items[1]->column, 4);
    assert_int_equal(node_find(list, "2.k")->column, 14);
}

static void laxness_of_the_library_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "t:1:1: a value is missing"},
        {"  ", "t:1:3: a value is missing"},
        {"1 2", "t:1:3: text after the end of the value"},
        {"{\"a\":1}x", "t:1:8: text after the end of the value"},
        {"{\"a\":1,\n\"a\":2}", "t:2:1: the key \"a\" is given twice"},
        {"[{\"b\":{\"a\":1,\"a\":2}}]", "t:1:14: the key \"a\" is given twice"},
        {"\"a\\u0000b\"", "t:1:3: a NUL character (\\u0000) is not allowed"},
        {"01", "t:1:1: not a JSON number"},
        {"1.", "t:1:1: not a JSON number"},
        {"+1", "t:1:1: expected a JSON value"},
        {"nan", "t:1:1: expected a JSON value"},
        {"[1,]", "t:1:4: expected a JSON value"},
        {"[1 2]", "t:1:4: expected , or ]"},
        {"{a:1}", "t:1:2: expected a key in double quotes"},
        {"{\"a\" 1}", "t:1:6: expected : after the key"},
        {"[", "t:1:2: a value is missing"},
        {"\"abc", "t:1:1: the string has no end"},
        {"\"a\tb\"", "t:1:3: a control character must be escaped"},
        {"\"\\x\"", "t:1:2: unknown escape in a string"},
        {"\"\\u12\"", "t:1:2: \\u needs four hex digits"},
        {"\"\\ud800\"", "t:1:2: half of a surrogate pair"},
        {"\"\\udc00\"", "t:1:2: half of a surrogate pair"},
        {"\"\\", "t:1:2: unknown escape in a string"},
        {"\"\xFF\"", "t:1:2: the byte 0xff is not valid UTF-8"},
        {"\"\xED\xA0\x80\"", "t:1:2: the byte 0xed is not valid UTF-8"},
        {"\xEF\xBB\xBF{}", "t:1:1: expected a JSON value"},
        {"/**/1", "t:1:1: expected a JSON value"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        refuse(rows[i].text, strlen(rows[i].text), rows[i].message);
    refuse("[\0]", 3, "t:1:2: a NUL byte is not allowed");
    refuse("1\0", 2, "t:1:2: a NUL byte is not allowed");
}

static void depth_is_limited_at_64(void **state)
{
    (void)state;
    enum { MANY = 200000 };
    auto_free char *text = mem_alloc(MANY + 1);
    memset(text, '[', MANY);
    refuse(text, MANY, "t:1:65: nested more than 64 deep");
    memset(text + 64, ']', 64);
    struct err e = {0};
    auto_node struct node *n = NULL;
    assert_int_equal(json_parse(&n, "t", text, 128, &e), 0);
}

static void long_numbers_are_refused(void **state)
{
    (void)state;
    char digits[65];
    memset(digits, '1', 64);
    digits[64] = '\0';
    refuse(digits, 64, "t:1:1: a number has more than 63 characters");
    digits[63] = '\0';
    auto_node struct node *n = from_json(digits);
    assert_string_equal(n->text, digits);
}

static void indented_text_is_readable_and_the_same_value(void **state)
{
    (void)state;
    auto_node struct node *n = from_json("{\"a\":[1,{}],\"b\":{\"c\":null}}");
    auto_buf struct buf b;
    buf_init(&b, 1000);
    json_format(&b, n, 2);
    assert_string_equal(buf_str(&b), "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {\n"
                                     "    \"c\": null\n  }\n}");
    auto_node struct node *again = from_json(buf_str(&b));
    assert_true(node_equal(n, again));
}

static void a_map_of_many_keys_is_read_quickly(void **state)
{
    (void)state;
    auto_buf struct buf b;
    buf_init(&b, 4 << 20);
    buf_putc(&b, '{');
    for (int i = 0; i < 50000; i++)
        buf_printf(&b, "%s\"key%d\":%d", i ? "," : "", i, i);
    buf_putc(&b, '}');
    auto_node struct node *n = from_json(buf_str(&b));
    assert_int_equal(n->count, 50000);
}

static void a_text_is_never_cut_inside_a_character(void **state)
{
    static const char text[] = "a\303\244\342\202\254\360\237\232\242z"; /* 1, 2, 3, 4, 1 bytes */
    static const size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

    (void)state;
    for (size_t max = 0; max < sizeof(ends) / sizeof(ends[0]); max++)
        assert_int_equal(text_cut(text, max), ends[max]);
    assert_int_equal(text_cut("\200\200\200\200\200\200", 5), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_comes_back_as_it_was),
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(values_and_keys_know_their_place),
        cmocka_unit_test(laxness_of_the_library_is_refused),
        cmocka_unit_test(depth_is_limited_at_64),
        cmocka_unit_test(long_numbers_are_refused),
        cmocka_unit_test(indented_text_is_readable_and_the_same_value),
        cmocka_unit_test(a_map_of_many_keys_is_read_quickly),
        cmocka_unit_test(a_text_is_never_cut_inside_a_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

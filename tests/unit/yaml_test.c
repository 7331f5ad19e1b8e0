/* SPDX-License-Identifier: MIT */
// fake: text
#include "conf/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/json.h"
#include "fake/text.h"

static void refuse(const char *text, size_t len, const char *message)
{
    struct err e = {0};
    struct node *n;

    assert_int_equal(yaml_parse(&n, "t", text, len, &e), -1);
    assert_null(n);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_string_equal(e.msg, message);
}

static void scalars_keep_their_text_and_get_a_kind(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum node_kind kind;
        const char *value;
    } rows[] = {
        {"a: 1", NODE_KIND_NUMBER, "1"},
        {"a: 9223372036854775808", NODE_KIND_NUMBER, "9223372036854775808"},
        {"a: 1.50", NODE_KIND_NUMBER, "1.50"},
        {"a: 0644", NODE_KIND_STRING, "0644"},
        {"a: 0x1f", NODE_KIND_STRING, "0x1f"},
        {"a: yes", NODE_KIND_STRING, "yes"},
        {"a: true", NODE_KIND_BOOL, "true"},
        {"a: \"true\"", NODE_KIND_STRING, "true"},
        {"a: '1'", NODE_KIND_STRING, "1"},
        {"a: ~", NODE_KIND_NULL, "~"},
        {"a: null", NODE_KIND_NULL, "null"},
        {"a:", NODE_KIND_NULL, ""},
        {"a: ''", NODE_KIND_STRING, ""},
        {"a: 10:20", NODE_KIND_STRING, "10:20"},
        {"a: |\n  x\n  y\n", NODE_KIND_STRING, "x\ny\n"},
        {"a: >-\n  1\n", NODE_KIND_STRING, "1"},
        {"\xEF\xBB\xBF"
         "a: x",
         NODE_KIND_STRING, "x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_node struct node *n = from_yaml(rows[i].text);

        assert_int_equal(node_get(n, "a")->kind, rows[i].kind);
        assert_string_equal(node_get(n, "a")->text, rows[i].value);
    }
}

static void values_and_keys_know_their_place(void **state)
{
    (void)state;
    auto_node struct node *n = from_yaml("# c\n\xC3\xA4:\n  - x: {y: 1}\n");
    struct node *list = node_get(n, "\xC3\xA4");
    assert_int_equal(list->key_line, 2);
    assert_int_equal(list->key_column, 1);
    struct node *y = node_find(list, "0.x.y");
    assert_int_equal(y->key_line, 3);
    assert_int_equal(y->key_column, 9);
    assert_int_equal(y->column, 12);
}

static void what_is_not_allowed_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "t:1:1: the document is empty"},
        {"# only a comment\n", "t:1:1: the document is empty"},
        {"a: &x 1", "t:1:4: anchors (&) are not allowed"},
        {"a: *x", "t:1:4: aliases (*) are not allowed"},
        {"*x : 1", "t:1:1: aliases (*) are not allowed"},
        {"a: &x [*x]", "t:1:4: anchors (&) are not allowed\nt:1:8: aliases (*) are not allowed"},
        {"a: !!str 1", "t:1:4: tags (!) are not allowed"},
        {"a: !x {}", "t:1:4: tags (!) are not allowed"},
        {"- &a []", "t:1:3: anchors (&) are not allowed"},
        {"a: 1\n---\nb: 2", "t:2:1: a second document; one is allowed"},
        {"a: 1\nb: 2\na: 3", "t:3:1: the key \"a\" is given twice; first on line 1"},
        {"x:\n  a: 1\n  a: 2\ny: {b: 1, b: 2}",
         "t:3:3: the key \"a\" is given twice; first on line 2\n"
         "t:4:11: the key \"b\" is given twice; first on line 4"},
        {"a: 1\nb: 1\nb: 2\na: 2\na: 3", "t:3:1: the key \"b\" is given twice; first on line 2\n"
                                         "t:4:1: the key \"a\" is given twice; first on line 1\n"
                                         "t:5:1: the key \"a\" is given twice; first on line 1"},
        {"\"a\\0b\": 1", "t:1:1: a key holds a NUL character"},
        {"a: \"x\\0y\"", "t:1:4: a text holds a NUL character"},
        {"[a]: 1", "t:1:1: a key must be text, not a list or a map"},
        {"? {a: 1}\n: 2", "t:1:3: a key must be text, not a list or a map"},
        {"\"\": 1", "t:1:1: a key is empty"},
        {"a: b: c", "t:1:5: mapping values are not allowed in this context"},
        {"a: [1, 2", "t:2:1: did not find expected ',' or ']' while parsing a flow sequence that "
                     "begins on line 1"},
        {"a: \"x\n\n", "t:3:1: found unexpected end of stream while scanning a quoted scalar that "
                       "begins on line 1"},
        {"a:\n\t- b", "t:2:1: found character that cannot start any token while scanning for the "
                      "next token"},
        {"a: \xC3(", "t:1:4: the byte 0xc3 is not valid UTF-8"},
        {"a: 1\nb: \xC3\xA4\xF5", "t:2:5: the byte 0xf5 is not valid UTF-8"},
        {"a: \x01", "t:1:4: control characters are not allowed"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        refuse(rows[i].text, strlen(rows[i].text), rows[i].message);
    refuse("a: 1\n\0", 6, "t:2:1: a NUL byte is not allowed");
    refuse("\xFF\xFE\x61\x00", 4, "t:1:1: the byte 0xff is not valid UTF-8");
}

static void what_a_key_that_is_given_twice_holds_is_looked_at_all_the_same(void **state)
{
    (void)state;
    static const char text[] = "a: {x: {k: 1}, y: 1}\nb: 1\na: {x: {l: 2, k: 3}, z: 2}\nb: 2\n"
                               "a: {n: 1}\n";
    struct problems p;
    problems_init(&p, "t");
    auto_node struct node *n = yaml_read(&p, text, strlen(text));
    assert_int_equal(p.count, 3);
    assert_string_equal(p.lines.items[0], "t:3:1: the key \"a\" is given twice; first on line 1");
    auto_free char *all = json_text(n);
    assert_string_equal(all, "{\"a\":{\"x\":{\"k\":1,\"l\":2},\"y\":1,\"z\":2,\"n\":1},\"b\":1}");
    problems_clear(&p);
    problems_init(&p, "t");
    assert_null(yaml_read(&p, "a: 1\na: *x\n", 11)); /* what is not there is no problem */
    assert_int_equal(p.count, 2);
    problems_clear(&p);
}

static void brackets_without_end_are_refused_in_no_time(void **state)
{
    (void)state;
    enum { MANY = 200000 };
    static const char *const shapes[] = {"[", "{a: ", "- ", "? ", "{", "[{"};
    auto_free char *text = mem_alloc(MANY + 1);
    for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
        size_t len = strlen(shapes[s]);

        for (size_t i = 0; i + len <= MANY; i += len)
            memcpy(text + i, shapes[s], len);
        struct err e = {0};
        struct node *n;
        clock_t start = clock(); /* of this process: others do not count */
        assert_int_equal(yaml_parse(&n, "t", text, MANY / len * len, &e), -1);
        assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
    }
    memset(text, '[', MANY);
    refuse(text, MANY, "t:1:33: nested more than 32 deep");
}

static void an_alias_bomb_is_refused(void **state)
{
    (void)state;
    static const char bomb[] = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n";
    struct err e = {0};
    struct node *n;
    assert_int_equal(yaml_parse(&n, "t", bomb, sizeof(bomb) - 1, &e), -1);
    assert_non_null(strstr(e.msg, "t:2:8: aliases"));
}

static void size_limits_hold(void **state)
{
    (void)state;
    enum { MIB = 1 << 20 };
    auto_free char *text = mem_alloc(MIB + 2);
    memset(text, 'x', MIB + 1);
    refuse(text, MIB + 1, "t:1:1: larger than 1 MiB");
    memcpy(text, "a: ", 3);
    refuse(text, MIB, "t:1:4: a text is longer than 64 KiB");
    auto_free char *key = mem_alloc(400);
    memset(key, 'k', 257);
    memcpy(key + 257, ": 1", 4);
    refuse(key, 260, "t:1:1: a key is longer than 256 bytes");
    for (size_t i = 0; i + 2 <= MIB; i += 2)
        memcpy(text + i, "-\n", 2);
    refuse(text, MIB, "t:19998:2: more than 20000 values and brackets");
}

static void formatted_text_reads_back_as_the_same_tree(void **state)
{
    (void)state;
    static const char text[] =
        "a: {}\nb: []\nc:\n  - 1\n  - \"1\"\n  - {x: v, z: [1, 2]}\n  - [[a], b]\n"
        "d: \"yes\"\ne: \"\"\nf: \"a: b\"\n\"g h\": \"#x\"\ni: \"x\\ny\\t\\\"\\u2028\\e\"\n"
        "j: ~\nk: true\nl: \"true\"\nm: \"0x1f\"\nn: 1GiB\no: 10.90.7.0/24\np: \" x \"\nq: \"- "
        "a\"\n"
        "r: \"2001-12-14\"\ns: \"null\"\nt: \"1.5\"\nu: \"~\"\nv: \"\\ufffe\\uFEFF\\x85\"\n"
        "w: '*x'\n'%y': '@'\n'null': x\n";
    auto_node struct node *n = from_yaml(text);
    auto_buf struct buf b;
    buf_init(&b, 10000);
    yaml_format(&b, n);
    auto_node struct node *again = from_yaml(buf_str(&b));
    assert_true(node_equal(n, again));
    assert_non_null(strstr(buf_str(&b), "\"n\": 1GiB\no: 10.90.7.0/24\n"));
    assert_non_null(strstr(buf_str(&b), "d: \"yes\"\n"));
    assert_non_null(strstr(buf_str(&b), "  - x: v\n    z:\n      - 1\n"));
    assert_non_null(strstr(buf_str(&b), "  - - - a\n    - b\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_keep_their_text_and_get_a_kind),
        cmocka_unit_test(values_and_keys_know_their_place),
        cmocka_unit_test(what_is_not_allowed_is_refused_with_its_place),
        cmocka_unit_test(what_a_key_that_is_given_twice_holds_is_looked_at_all_the_same),
        cmocka_unit_test(brackets_without_end_are_refused_in_no_time),
        cmocka_unit_test(an_alias_bomb_is_refused),
        cmocka_unit_test(size_limits_hold),
        cmocka_unit_test(formatted_text_reads_back_as_the_same_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

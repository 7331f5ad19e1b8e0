/* SPDX-License-Identifier: MIT */
// fake: text
#include "model/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/json.h"
#include "conf/yaml.h"
#include "fake/text.h"

static const char variables[] = "instance: ceph-osd-1\n"
                                "ordinal: 1\n"
                                "size: 1073741824\n"
                                "on: true\n"
                                "nothing: ~\n"
                                "list: [a, b, 3]\n"
                                "extra: {debug: 1, level: 2}\n"
                                "mons: {ceph-mon-1: 10.0.0.1, ceph-mon-2: 10.0.0.2}\n"
                                "sneaky: '${instance}'\n"
                                "dotted.name: dot\n"
                                "lines: \"a\\n[evil]\\nx = 1\"\n";

/* What the template becomes, as compact JSON, or "error: sentence". Owned. */
static char *expanded(const char *template)
{
    auto_node struct node *vars = from_yaml(variables);
    auto_node struct node *t = from_yaml(template);
    auto_node struct node *out = NULL;
    struct err e;

    if (render_expand(&out, t, vars, &e) < 0) {
        assert_int_equal(e.code, ERR_CONFIG);
        assert_null(out);
        return mem_printf("error: %s", e.msg);
    }
    return json_text(out);
}

static void check_expanded(const char *template, const char *want)
{
    auto_free char *got = expanded(template);

    assert_string_equal(got, want);
}

static char *printed(enum template_format format, const char *template)
{
    auto_node struct node *vars = from_yaml(variables);
    auto_node struct node *t = from_yaml(template);
    auto_node struct node *out = NULL;
    auto_buf struct buf b;

    buf_init(&b, 1 << 20);
    struct err e;
    if (render_expand(&out, t, vars, &e) < 0 || render_format(&b, format, out, &e) < 0)
        return mem_printf("error: %s", e.msg);
    return buf_take(&b);
}

static void check_printed(enum template_format format, const char *template, const char *want)
{
    auto_free char *got = printed(format, template);

    assert_string_equal(got, want);
}

static void a_scalar_that_is_a_variable_takes_its_value_and_type(void **state)
{
    (void)state;
    check_expanded("a: ${ordinal}", "{\"a\":1}");
    check_expanded("a: ${on}", "{\"a\":true}");
    check_expanded("a: ${instance}", "{\"a\":\"ceph-osd-1\"}");
    check_expanded("a: ${list}", "{\"a\":[\"a\",\"b\",3]}");
    check_expanded("a: ${extra}", "{\"a\":{\"debug\":1,\"level\":2}}");
    check_expanded("a: ${mons.ceph-mon-2}", "{\"a\":\"10.0.0.2\"}");
    check_expanded("a: ${dotted.name}", "{\"a\":\"dot\"}");
}

static void null_leaves_the_entry_out(void **state)
{
    (void)state;
    check_expanded("a: ${nothing}\nb: 1", "{\"b\":1}");
    check_expanded("a: ~\nb: [x, ~, '${nothing}', y]", "{\"b\":[\"x\",\"y\"]}");
    check_expanded("a: ${nothing:-}", "{\"a\":\"\"}");
}

static void a_default_stands_for_what_is_unset(void **state)
{
    (void)state;
    check_expanded("a: ${nothing:-5 m}", "{\"a\":\"5 m\"}");
    check_expanded("a: x${nothing:-}y", "{\"a\":\"xy\"}");
    check_expanded("a: ${mons.ceph-mon-9:-none}", "{\"a\":\"none\"}");
    check_expanded("a: ${ordinal:-7}", "{\"a\":1}");
}

static void texts_hold_scalars(void **state)
{
    (void)state;
    check_expanded("a: osd.${ordinal} of ${instance}", "{\"a\":\"osd.1 of ceph-osd-1\"}");
    check_expanded("osd.${ordinal}: {a: 1}", "{\"osd.1\":{\"a\":1}}");
    check_expanded("a: $${instance} $5 $", "{\"a\":\"${instance} $5 $\"}");
    check_expanded("a: x ${list}", "error: a: variable ${list} is a list; inside a text only a "
                                   "single value may stand");
    check_expanded("a: x ${nothing}", "error: a: variable ${nothing} has no value, inside a text "
                                      "it needs one: ${nothing:-text}");
}

static void a_value_is_never_expanded_again(void **state)
{
    (void)state;
    check_expanded("a: ${sneaky}\nb: x${sneaky}", "{\"a\":\"${instance}\",\"b\":\"x${instance}\"}");
}

static void an_unknown_variable_is_named_with_its_place_and_the_nearest(void **state)
{
    (void)state;
    check_expanded(
        "global: {a: [x, '${instanc}']}",
        "error: global: a: item 2: unknown variable ${instanc} (did you mean instance?)");
    check_expanded("a: ${zzzzzz}", "error: a: unknown variable ${zzzzzz}");
    check_expanded("a: ${zzzzzz:-x}", "error: a: unknown variable ${zzzzzz}");
    check_expanded("a: ${mons.ceph-mon-3}",
                   "error: a: unknown variable ${mons.ceph-mon-3} (did you mean ceph-mon-1?)");
    check_expanded("a: ${ordinal.x}", "error: a: variable ${ordinal.x}: \"ordinal\" is not a map");
}

static void broken_references_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"a: ${", "a: ${}", "a: ${x", "a: x${a b}", "a: ${x:-y"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        auto_free char *got = expanded(bad[i]);

        assert_non_null(strstr(got, "error: a: "));
        assert_non_null(strstr(got, "a variable is written ${name}"));
    }
}

static void maps_are_merged_and_never_replace_what_is_there(void **state)
{
    (void)state;
    check_expanded("<<: ${extra}\ndebug: 9", "{\"debug\":9,\"level\":2}");
    check_expanded("debug: 9\n<<: ${extra}", "{\"debug\":9,\"level\":2}");
    check_expanded("<<: ['${extra}', {more: 1}]\nx: 2",
                   "{\"x\":2,\"debug\":1,\"level\":2,\"more\":1}");
    check_expanded("<<: ${nothing}\nx: 2", "{\"x\":2}");
    check_expanded("<<: ${ordinal}\nx: 2", "error: <<: only a map can be merged");
    check_expanded("osd.1: 1\nosd.${ordinal}: 2", "error: osd.1: given twice");
}

static void depth_and_size_have_limits(void **state)
{
    (void)state;
    auto_node struct node *deep = node_new_list();
    struct node *at = deep;
    for (int i = 0; i < 40; i++)
        at = node_add(at, node_new_list());
    auto_node struct node *vars = node_new_map();
    auto_node struct node *out = NULL;
    struct err e;
    assert_int_equal(render_expand(&out, deep, vars, &e), -1);
    assert_non_null(strstr(e.msg, "nested deeper than 32"));
    node_set(vars, "deep", node_copy(deep));
    auto_node struct node *ref = node_new_string("${deep}");
    assert_int_equal(render_expand(&out, ref, vars, &e), -1);

    char *big = mem_alloc(60001);
    memset(big, 'x', 60000);
    node_set_text(vars, "big", big);
    free(big);
    auto_node struct node *many = node_new_list();
    for (int i = 0; i < 100; i++)
        node_add_text(many, "${big}");
    assert_int_equal(render_expand(&out, many, vars, &e), -1);
    assert_non_null(strstr(e.msg, "larger than 1048576 bytes"));
}

static void ini_has_sections_and_joined_lists(void **state)
{
    (void)state;
    check_printed(TEMPLATE_FORMAT_INI,
                  "global: {id: '${ordinal}', hosts: ['${list}', c], gone: '${nothing}'}\n"
                  "top: x\n"
                  "osd.${ordinal}: {size: '${size}', '<<': '${extra}'}\n",
                  "top = x\n\n[global]\nid = 1\nhosts = a, b, 3, c\n\n"
                  "[osd.1]\nsize = 1073741824\ndebug = 1\nlevel = 2\n");
}

static void ini_refuses_what_would_become_another_setting(void **state)
{
    (void)state;
    check_printed(TEMPLATE_FORMAT_INI, "global: {a: '${lines}'}",
                  "error: global: a: the value has a line break, which ini cannot hold");
    check_printed(TEMPLATE_FORMAT_INI, "a: ['${lines}']",
                  "error: a: the value has a line break, which ini cannot hold");
    check_printed(TEMPLATE_FORMAT_INI, "a: 'x\\'",
                  "error: a: the value has a line break, which ini cannot hold");
    check_printed(TEMPLATE_FORMAT_INI, "global: {a: {b: 1}}",
                  "error: global.a: ini has no sections in sections");
    check_printed(TEMPLATE_FORMAT_INI, "'a]': {b: 1}", "error: a]: not a name of an ini section");
    check_printed(TEMPLATE_FORMAT_INI, "'a=b': 1", "error: a=b: not a name of an ini setting");
    check_printed(TEMPLATE_FORMAT_INI, "[1]", "error: a template for ini is a map");
}

static void env_quotes_for_shells(void **state)
{
    (void)state;
    check_printed(TEMPLATE_FORMAT_ENV,
                  "PLAIN: a/b.c:1\nSPACE: a b\nQUOTES: 'a\"$`\\b'\nEMPTY: ''\nLIST: '${list}'\n",
                  "PLAIN=a/b.c:1\nSPACE=\"a b\"\nQUOTES=\"a\\\"\\$\\`\\\\b\"\nEMPTY=\n"
                  "LIST=\"[\\\"a\\\",\\\"b\\\",3]\"\n");
    check_printed(TEMPLATE_FORMAT_ENV, "A: '${lines}'",
                  "error: A: the value has a line break, which env cannot hold");
    check_printed(TEMPLATE_FORMAT_ENV, "'A B': 1", "error: A B: not a name of a variable");
    check_printed(TEMPLATE_FORMAT_ENV, "1A: 1", "error: 1A: not a name of a variable");
}

static void json_and_yaml_keep_types_and_escape(void **state)
{
    (void)state;
    check_printed(TEMPLATE_FORMAT_JSON, "{a: '${on}', b: '${lines}'}",
                  "{\n  \"a\": true,\n  \"b\": \"a\\n[evil]\\nx = 1\"\n}\n");
    auto_free char *yaml = printed(TEMPLATE_FORMAT_YAML, "{a: '${lines}', b: 'true', c: '${on}'}");
    auto_node struct node *back = from_yaml(yaml);
    assert_int_equal(back->count, 3);
    assert_string_equal(node_get_text(back, "a"), "a\n[evil]\nx = 1");
    assert_int_equal(node_get(back, "b")->kind, NODE_KIND_STRING);
    assert_int_equal(node_get(back, "c")->kind, NODE_KIND_BOOL);
}

static void args_are_one_a_line(void **state)
{
    (void)state;
    check_printed(TEMPLATE_FORMAT_ARGS, "[-f, '${list}', '--id=${ordinal}', '${nothing}']",
                  "-f\na\nb\n3\n--id=1\n");
    check_printed(TEMPLATE_FORMAT_ARGS, "['${lines}']",
                  "error: argument \"a\n[evil]\nx = 1...\" has a line break");
}

static void argument_lists_are_flattened(void **state)
{
    (void)state;
    auto_node struct node *vars = from_yaml(variables);
    auto_node struct node *t = from_yaml("[run, '${list}', [x, ['${nothing}']], '${lines}']");
    auto_strv struct strv args = {0};
    struct err e;
    assert_int_equal(render_args(&args, t, vars, &e), 0);
    auto_free char *joined = strv_join(&args, "|");
    assert_string_equal(joined, "run|a|b|3|x|a\n[evil]\nx = 1");
    auto_node struct node *bad = from_yaml("['${extra}']");
    struct strv none;
    assert_int_equal(render_args(&none, bad, vars, &e), -1);
    assert_string_equal(e.msg, "a map cannot be an argument");
    assert_int_equal(none.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scalar_that_is_a_variable_takes_its_value_and_type),
        cmocka_unit_test(null_leaves_the_entry_out),
        cmocka_unit_test(a_default_stands_for_what_is_unset),
        cmocka_unit_test(texts_hold_scalars),
        cmocka_unit_test(a_value_is_never_expanded_again),
        cmocka_unit_test(an_unknown_variable_is_named_with_its_place_and_the_nearest),
        cmocka_unit_test(broken_references_are_refused),
        cmocka_unit_test(maps_are_merged_and_never_replace_what_is_there),
        cmocka_unit_test(depth_and_size_have_limits),
        cmocka_unit_test(ini_has_sections_and_joined_lists),
        cmocka_unit_test(ini_refuses_what_would_become_another_setting),
        cmocka_unit_test(env_quotes_for_shells),
        cmocka_unit_test(json_and_yaml_keep_types_and_escape),
        cmocka_unit_test(args_are_one_a_line),
        cmocka_unit_test(argument_lists_are_flattened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

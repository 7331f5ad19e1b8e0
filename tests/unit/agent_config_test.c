/* SPDX-License-Identifier: MIT */
#include "agent/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/json.h"

static const char component[] = "tests/data/components/echo";

#define KEYS                                                                                       \
    "\"/slipway/t/components/echo/shared/peers\": \"{}\","                                         \
    "\"/slipway/t/components/echo/shared/count\": \"1\","                                          \
    "\"/slipway/t/components/echo/shared/id\": \"x\","                                             \
    "\"/slipway/t/instances/echo-7/secrets/token\": \"s\""

static int load(void **state)
{
    struct problems p;

    problems_init(&p, component);
    *state = manifest_load(component, &p);
    problems_clear(&p);
    return *state ? 0 : -1;
}

static int unload(void **state)
{
    manifest_free(*state);
    return 0;
}

static struct tree *tree(const char *more)
{
    auto_free char *text =
        mem_printf("{\"revision\": 4, \"prefix\": \"/slipway/t/instances/echo-7\", \"keys\": "
                   "{" KEYS "%s}}",
                   more);
    struct tree *t = NULL;
    struct err e;

    if (tree_parse(&t, "test", text, strlen(text), "echo", &e) < 0)
        fail_msg("%s", e.msg);
    return t;
}

static struct options options(void)
{
    const char *argv[] = {"slipway-agent", "--run", "/tmp/run", NULL};
    struct options o;
    struct err e;

    assert_int_equal(options_parse(&o, argv, &e), 0);
    return o;
}

static char *built(void **state, const char *more, struct options o, const char *key)
{
    auto_tree struct tree *t = tree(more);
    auto_config struct config *c = NULL;
    struct err e;
    char *out;

    if (config_build(&c, *state, t, &o, &e) < 0) {
        out = mem_printf("error: %s", e.msg);
    } else {
        const struct node *value = node_get(c->vars, key);

        out = value ? json_text(value) : mem_strdup("none");
    }
    options_clear(&o);
    return out;
}

#define CONFIG(k, v) ",\"/slipway/t/components/echo/config/" k "\": \"" v "\""
#define OWN(k, v) ",\"/slipway/t/instances/echo-7/config/" k "\": \"" v "\""

static void values_follow_the_precedence(void **state)
{
    auto_free char *fallback = built(state, "", options(), "port");

    assert_string_equal(fallback, "80");
    auto_free char *common = built(state, CONFIG("port", "81"), options(), "port");
    assert_string_equal(common, "81");
    auto_free char *own = built(state, CONFIG("port", "81") OWN("port", "82"), options(), "port");
    assert_string_equal(own, "82");
    struct options o = options();
    strv_add(&o.set_env, "PORT=83");
    auto_free char *variable = built(state, OWN("port", "82"), o, "port");
    assert_string_equal(variable, "83");
    o = options();
    strv_add(&o.set_env, "PORT=83");
    strv_add(&o.set, "port=84");
    auto_free char *word = built(state, OWN("port", "82"), o, "port");
    assert_string_equal(word, "84");
}

static void values_have_the_types_of_the_manifest(void **state)
{
    auto_free char *size = built(state, CONFIG("size", "2048"), options(), "size");

    assert_string_equal(size, "2048");
    struct options o = options();
    strv_add(&o.set, "size=2KiB");
    auto_free char *words = built(state, "", o, "size");
    assert_string_equal(words, "2048");
    o = options();
    strv_add(&o.set, "flags=[a, b]");
    auto_free char *list = built(state, "", o, "flags");
    assert_string_equal(list, "[\"a\",\"b\"]");
    auto_free char *unset = built(state, "", options(), "unset");
    assert_string_equal(unset, "null");
    auto_free char *ordinal = built(state, "", options(), "ordinal");
    assert_string_equal(ordinal, "7");
}

static void what_does_not_fit_is_refused_with_its_name(void **state)
{
    auto_free char *port = built(state, CONFIG("port", "0"), options(), "port");

    assert_non_null(strstr(port, "error: configuration key port"));
    struct options o = options();
    strv_add(&o.set, "prot=5");
    auto_free char *unknown = built(state, "", o, "port");
    assert_string_equal(unknown, "error: --set prot: the component has no such key");
    auto_free char *other =
        built(state, ",\"/slipway/t/instances/echo-7/meta\": \"{\\\"component\\\":\\\"x\\\"}\"",
              options(), "port");
    assert_string_equal(other, "error: echo-7 is an instance of x, and this is the component echo");
}

static void check_change(void **state, const char *before, const char *after,
                         struct config_diff *changes)
{
    auto_tree struct tree *old = tree(before);
    auto_tree struct tree *now = tree(after);
    auto_config struct config *a = NULL;
    auto_config struct config *b = NULL;
    struct options o = options();
    struct err e;

    assert_int_equal(config_build(&a, *state, old, &o, &e), 0);
    assert_int_equal(config_build(&b, *state, now, &o, &e), 0);
    config_compare(changes, *state, (struct config_version){old, a},
                   (struct config_version){now, b});
    options_clear(&o);
}

#define SSH(value) ",\"/slipway/t/instances/echo-7/secrets/ssh_authorized_key\": \"" value "\""

static void a_new_ssh_key_is_written_and_concerns_nobody_else(void **state)
{
    struct config_diff c;

    check_change(state, SSH("old"), SSH("new"), &c);
    assert_true(c.any && c.effective);
    assert_int_equal(c.kind, APPLY_KIND_LIVE);
    assert_false(c.live);
    config_diff_clear(&c);
}

static void the_strongest_kind_of_a_change_counts(void **state)
{
    struct config_diff c;

    check_change(state, "", "", &c);
    assert_false(c.any || c.effective);
    config_diff_clear(&c);
    check_change(state, "", CONFIG("greeting", "x"), &c);
    assert_true(c.any && c.effective && c.live);
    assert_int_equal(c.kind, APPLY_KIND_LIVE);
    config_diff_clear(&c);
    check_change(state, "", CONFIG("greeting", "x") OWN("level", "5"), &c);
    assert_int_equal(c.kind, APPLY_KIND_RELOAD);
    assert_true(c.live);
    config_diff_clear(&c);
    check_change(state, "", CONFIG("greeting", "x") OWN("port", "5"), &c);
    assert_int_equal(c.kind, APPLY_KIND_RESTART);
    auto_free char *names = strv_join(&c.names, " ");
    assert_string_equal(names, "greeting port command");
    config_diff_clear(&c);
}

static void an_equal_value_is_no_change_in_effect(void **state)
{
    struct config_diff c;

    check_change(state, "", CONFIG("port", "80"), &c);
    assert_true(c.any);
    assert_false(c.effective);
    config_diff_clear(&c);
}

static void what_agents_report_is_no_configuration(void **state)
{
    (void)state;
    auto_tree struct tree *t = tree(",\"/slipway/t/instances/echo-7/status\": \"{}\","
                                    "\"/slipway/t/instances/echo-7/applied\": \"{}\"");
    auto_tree struct tree *without = tree("");
    char a[65], b[65];
    tree_hash(a, t);
    tree_hash(b, without);
    assert_string_equal(a, b);
}

static void snapshots_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"prefix\":\"/slipway/t/instances/x\"}",
        "{\"prefix\":\"/x\",\"keys\":{}}",
        "{\"prefix\":\"/slipway/t/hosts/x\",\"keys\":{}}",
        "{\"prefix\":\"/slipway/t/instances/x\",\"keys\":{\"a\":[]}}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct tree *t = NULL;
        struct err e;

        assert_int_equal(tree_parse(&t, "bad", bad[i], strlen(bad[i]), "echo", &e), -1);
        assert_null(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_follow_the_precedence),
        cmocka_unit_test(values_have_the_types_of_the_manifest),
        cmocka_unit_test(what_does_not_fit_is_refused_with_its_name),
        cmocka_unit_test(a_new_ssh_key_is_written_and_concerns_nobody_else),
        cmocka_unit_test(the_strongest_kind_of_a_change_counts),
        cmocka_unit_test(an_equal_value_is_no_change_in_effect),
        cmocka_unit_test(what_agents_report_is_no_configuration),
        cmocka_unit_test(snapshots_that_are_none_are_refused),
    };

    return cmocka_run_group_tests(tests, load, unload);
}

/* SPDX-License-Identifier: MIT */
#include "model/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void is(char *key, const char *expected)
{
    assert_string_equal(key, expected);
    free(key);
}

static void every_key_is_where_the_layout_says(void **state)
{
    (void)state;
    is(keys_env("demo"), "/slipway/demo/");
    is(keys_spec("demo"), "/slipway/demo/spec");
    is(keys_lock("demo"), "/slipway/demo/lock");
    is(keys_journal("demo", ""), "/slipway/demo/journal/");
    is(keys_journal("demo", "run/op"), "/slipway/demo/journal/run/op");
    is(keys_audit("demo", ""), "/slipway/demo/audit/");
    is(keys_release_bad("demo", "ab"), "/slipway/demo/releases/ab");
    is(keys_controller_user("demo", "ann"), "/slipway/demo/controller/users/ann");
    is(keys_controller_token("demo", "ab"), "/slipway/demo/controller/tokens/ab");
    is(keys_controller_audit("demo", ""), "/slipway/demo/controller/audit/");
    is(keys_controller_job("demo", "check"), "/slipway/demo/controller/jobs/check");
    is(keys_controller("demo", ""), "/slipway/demo/controller/");
    is(keys_controller("demo", "paused"), "/slipway/demo/controller/paused");
    is(keys_controller_held("demo", "c-1"), "/slipway/demo/controller/held/c-1");
    is(keys_component("demo", "etcd"), "/slipway/demo/components/etcd/");
    is(keys_component_config("demo", "etcd", "quota"),
       "/slipway/demo/components/etcd/config/quota");
    is(keys_component_shared("demo", "c", "fsid"), "/slipway/demo/components/c/shared/fsid");
    is(keys_component_once("demo", "c"), "/slipway/demo/components/c/once");
    is(keys_component_once_lock("demo", "c"), "/slipway/demo/components/c/once.lock");
    is(keys_link_prefix("demo", NULL), "/slipway/demo");
    is(keys_link_prefix("demo", "c-1"), "/slipway/demo/instances/c-1");
    is(keys_instance("demo", "c-1"), "/slipway/demo/instances/c-1/");
    is(keys_instance_config("demo", "c-1", "k"), "/slipway/demo/instances/c-1/config/k");
    is(keys_instance_secret("demo", "c-1", "s"), "/slipway/demo/instances/c-1/secrets/s");
    is(keys_instance_meta("demo", "c-1"), "/slipway/demo/instances/c-1/meta");
    is(keys_instance_applied("demo", "c-1"), "/slipway/demo/instances/c-1/applied");
    is(keys_instance_status("demo", "c-1"), "/slipway/demo/instances/c-1/status");
}

static void a_path_is_taken_apart_as_it_was_built(void **state)
{
    static const struct {
        const char *path;
        enum keys_kind kind;
        const char *env, *component, *instance, *name;
    } rows[] = {
        {"/slipway/d/spec", KEYS_KIND_SPEC, "d", "", "", NULL},
        {"/slipway/d/lock", KEYS_KIND_LOCK, "d", "", "", NULL},
        {"/slipway/d/journal/run/3", KEYS_KIND_JOURNAL, "d", "", "", "run/3"},
        {"/slipway/d/audit/2026", KEYS_KIND_AUDIT, "d", "", "", "2026"},
        {"/slipway/d/releases/ab", KEYS_KIND_RELEASE_BAD, "d", "", "", "ab"},
        {"/slipway/d/controller/users/ann", KEYS_KIND_CONTROLLER_USER, "d", "", "", "ann"},
        {"/slipway/d/controller/tokens/ab", KEYS_KIND_CONTROLLER_TOKEN, "d", "", "", "ab"},
        {"/slipway/d/controller/audit/2026", KEYS_KIND_CONTROLLER_AUDIT, "d", "", "", "2026"},
        {"/slipway/d/controller/jobs/check", KEYS_KIND_CONTROLLER_JOB, "d", "", "", "check"},
        {"/slipway/d/controller/held/c-1", KEYS_KIND_CONTROLLER, "d", "", "", "held/c-1"},
        {"/slipway/d/controller/stopped/c-1", KEYS_KIND_CONTROLLER, "d", "", "", "stopped/c-1"},
        {"/slipway/d/controller/leader", KEYS_KIND_CONTROLLER, "d", "", "", "leader"},
        {"/slipway/d/controller/paused", KEYS_KIND_CONTROLLER, "d", "", "", "paused"},
        {"/slipway/d/components/c/config/k", KEYS_KIND_COMPONENT_CONFIG, "d", "c", "", "k"},
        {"/slipway/d/components/c/config/status", KEYS_KIND_COMPONENT_CONFIG, "d", "c", "",
         "status"},
        {"/slipway/d/components/c/shared/k", KEYS_KIND_COMPONENT_SHARED, "d", "c", "", "k"},
        {"/slipway/d/components/c/once", KEYS_KIND_COMPONENT_ONCE, "d", "c", "", NULL},
        {"/slipway/d/components/c/once.lock", KEYS_KIND_COMPONENT_ONCE_LOCK, "d", "c", "", NULL},
        {"/slipway/d/instances/c-1", KEYS_KIND_INSTANCE, "d", "", "c-1", NULL},
        {"/slipway/d/instances/c-1/config/k", KEYS_KIND_INSTANCE_CONFIG, "d", "", "c-1", "k"},
        {"/slipway/d/instances/c-1/secrets/s", KEYS_KIND_INSTANCE_SECRET, "d", "", "c-1", "s"},
        {"/slipway/d/instances/c-1/meta", KEYS_KIND_INSTANCE_META, "d", "", "c-1", NULL},
        {"/slipway/d/instances/c-1/applied", KEYS_KIND_INSTANCE_APPLIED, "d", "", "c-1", NULL},
        {"/slipway/d/instances/c-1/status", KEYS_KIND_INSTANCE_STATUS, "d", "", "c-1", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct keys_path k;

        if (!keys_parse(&k, rows[i].path))
            fail_msg("%s is in the layout", rows[i].path);
        assert_int_equal(k.kind, rows[i].kind);
        assert_string_equal(k.env, rows[i].env);
        assert_string_equal(k.component, rows[i].component);
        assert_string_equal(k.instance, rows[i].instance);
        if (rows[i].name)
            assert_string_equal(k.name, rows[i].name);
        else
            assert_null(k.name);
    }
}

static void what_is_not_in_the_layout_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "/",
        "/slipway",
        "/slipway/",
        "/slipway/d",
        "/slipway/d/",
        "/slipway//spec",
        "/other/d/spec",
        "/slipway/d/specs",
        "/slipway/d/spec/",
        "/slipway/d/journal",
        "/slipway/d/journal/",
        "/slipway/d/components/c",
        "/slipway/d/components//config/k",
        "/slipway/d/components/c/config",
        "/slipway/d/components/c/config/",
        "/slipway/d/components/c/secrets/k",
        "/slipway/d/components/c/once.locked",
        "/slipway/d/instances/",
        "/slipway/d/instances/c-1/",
        "/slipway/d/instances/c-1/meta/x",
        "/slipway/d/instances/c-1/shared/k",
    };
    auto_free char *name = mem_alloc(KEYS_NAME_SIZE + 1);
    auto_free char *longest = NULL, *longer = NULL;
    struct keys_path k;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (keys_parse(&k, rows[i]))
            fail_msg("%s is not in the layout", rows[i]);
    memset(name, 'n', KEYS_NAME_SIZE);
    longer = keys_instance_meta("d", name);
    longest = keys_instance_meta("d", name + 1);
    assert_false(keys_parse(&k, longer));
    assert_true(keys_parse(&k, longest));
    assert_string_equal(k.instance, name + 1);
}

static void the_instances_of_a_range_come_once_each(void **state)
{
    static const char *const keys[] = {
        "/slipway/d/components/c/config/k", "/slipway/d/instances/c-1/config/k",
        "/slipway/d/instances/c-1/meta",    "/slipway/d/instances/c-10/status",
        "/slipway/d/instances/c/left-over", "/slipway/d/spec",
    };
    auto_strv struct strv names = {0};
    auto_free char *joined = NULL;
    struct etcd_kvs kvs = {0};

    (void)state;
    kvs.items = mem_array(ARRAY_LEN(keys), sizeof(*kvs.items));
    for (; kvs.count < ARRAY_LEN(keys); kvs.count++)
        kvs.items[kvs.count].key = mem_strdup(keys[kvs.count]);
    keys_instances(&names, &kvs);
    joined = strv_join(&names, " ");
    assert_string_equal(joined, "c-1 c-10 c");
    etcd_kvs_clear(&kvs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_where_the_layout_says),
        cmocka_unit_test(a_path_is_taken_apart_as_it_was_built),
        cmocka_unit_test(what_is_not_in_the_layout_is_refused),
        cmocka_unit_test(the_instances_of_a_range_come_once_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

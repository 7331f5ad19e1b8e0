/* SPDX-License-Identifier: MIT */
#include "model/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

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
    is(keys_component("demo", "etcd"), "/slipway/demo/components/etcd/");
    is(keys_component_config("demo", "etcd", "quota"),
       "/slipway/demo/components/etcd/config/quota");
    is(keys_component_shared("demo", "c", "fsid"), "/slipway/demo/components/c/shared/fsid");
    is(keys_component_once("demo", "c"), "/slipway/demo/components/c/once");
    is(keys_instance("demo", "c-1"), "/slipway/demo/instances/c-1/");
    is(keys_instance_config("demo", "c-1", "k"), "/slipway/demo/instances/c-1/config/k");
    is(keys_instance_secret("demo", "c-1", "s"), "/slipway/demo/instances/c-1/secrets/s");
    is(keys_instance_meta("demo", "c-1"), "/slipway/demo/instances/c-1/meta");
    is(keys_instance_applied("demo", "c-1"), "/slipway/demo/instances/c-1/applied");
    is(keys_instance_status("demo", "c-1"), "/slipway/demo/instances/c-1/status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_key_is_where_the_layout_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

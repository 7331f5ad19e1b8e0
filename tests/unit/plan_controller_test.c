/* SPDX-License-Identifier: MIT */
/* The controller in a plan: its rights, which nobody else gets, and that it leaves itself alone. */
// fake: planned
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/json.h"
#include "conf/yaml.h"
#include "fake/planned.h"
#include "plan/body.h"
#include "plan/plan.h"

#define DOCUMENT                                                                                   \
    "name: demo\nnetwork: {subnet: 10.90.1.0/24}\n"                                                \
    "components:\n  etcd: {instances: 1}\n  sleeper: {instances: 1}\n"                             \
    "  controller: {instances: 1"

static void load(struct planned *f, const char *rest)
{
    auto_free char *document = mem_printf(DOCUMENT "%s}\n", rest);

    planned_load(f, document);
    planned_make(f);
}

static bool has_socket(const struct desired *d, const char *instance)
{
    auto_free char *text = json_text(desired_find(d, instance)->body);

    return strstr(text, "docker.sock") != NULL;
}

static void it_alone_gets_the_socket_and_the_plan_says_so(void **state)
{
    struct planned f = {0};

    (void)state;
    load(&f, "");
    assert_true(has_socket(f.desired, "controller-1"));
    assert_false(has_socket(f.desired, "sleeper-1"));
    assert_false(has_socket(f.desired, "etcd-1"));
    assert_int_equal(f.plan->notes.count, 1);
    assert_string_equal(f.plan->notes.items[0],
                        "controller-1 gets the socket of Docker (/var/run/docker.sock) and the "
                        "key of this environment");
    planned_clear(&f);
}

static void the_key_is_sealed_and_only_for_it(void **state)
{
    static const char key[] = "/slipway/demo/instances/controller-1/secrets/environment_key";
    auto_node struct node *keys = NULL;
    struct planned f = {0};
    const struct node *n;
    struct err e;

    (void)state;
    load(&f, "");
    for (size_t i = 0; i < f.desired->component_count; i++) {
        struct node *own = NULL;

        assert_int_equal(desired_keys(&own, f.desired, &f.desired->components[i], &e), 0);
        node_for_each (n, own) {
            assert_null(strstr(n->text, "0707070707070707"));
            assert_true(strcmp(n->key, key) == 0 || !strstr(n->key, "environment_key"));
        }
        if (node_get(own, key))
            assert_memory_equal(node_get_text(own, key), "v1:", 3);
        if (!keys && node_get(own, key))
            keys = own;
        else
            node_free(own);
    }
    assert_non_null(keys);
    planned_clear(&f);
}

/* Whatever folder it comes from. */
static void no_other_component_may_ask_for_its_rights(void **state)
{
    static const struct {
        const char *text, *problem;
    } rows[] = {
        {"name: a\nsummary: s\nrole: controller",
         "m:3:7: role: only the component controller can be the controller"},
        {"name: a\nsummary: s\nrun: {engine_socket: /x}",
         "m:3:22: engine_socket: only the controller may have Docker's socket, with which it is "
         "root on the host"},
        {"name: controller\nsummary: s\nsecrets: {x: {generate: environment-key}}",
         "m:3:14: secrets: only the controller may have the environment's key, which opens "
         "everything"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_node struct node *root = NULL;
        struct problems p;
        struct err e;

        problems_init(&p, "m");
        assert_int_equal(yaml_parse(&root, "m", rows[i].text, strlen(rows[i].text), &e), 0);
        assert_null(manifest_decode(root, NULL, &p));
        assert_int_equal(p.lines.count, 1);
        assert_string_equal(p.lines.items[0], rows[i].problem);
        problems_clear(&p);
    }
}

/* The same address each time, and no other environment's. */
static void its_page_is_published_without_being_asked(void **state)
{
    struct planned f = {0}, g = {0};
    const struct spec_port *p;

    (void)state;
    load(&f, "");
    load(&g, ", overrides: {controller-1: {ports: {page: \"0.0.0.0:9\"}}}");
    p = spec_instance(f.spec, "controller-1")->ports;
    assert_int_equal(spec_instance(f.spec, "controller-1")->port_count, 1);
    assert_string_equal(p->address, "127.0.0.1");
    assert_int_equal(p->port, 8443);
    assert_int_equal(p->host_port, 20395);
    assert_null(node_find(f.spec->document, "components.controller.overrides"));
    p = spec_instance(g.spec, "controller-1")->ports;
    assert_int_equal(spec_instance(g.spec, "controller-1")->port_count, 1);
    assert_string_equal(p->address, "0.0.0.0");
    assert_int_equal(p->host_port, 9);
    assert_int_equal(spec_instance(g.spec, "sleeper-1")->port_count, 0);
    planned_clear(&f);
    planned_clear(&g);
}

static void it_does_not_replace_itself(void **state)
{
    struct planned f = {0};

    (void)state;
    load(&f, "");
    planned_bring_about(&f);
    planned_forget(&f);
    node_set_text(f.images, "controller", "slipway/controller:2");
    f.self = "controller-1";
    planned_make(&f);
    assert_int_equal(f.plan->count, 0);
    assert_int_equal(f.plan->notes.count, 1);
    assert_non_null(strstr(f.plan->notes.items[0], "controller-1 is to be replaced, which "
                                                   "`slipway up` does"));
    planned_forget(&f);
    f.self = NULL;
    planned_make(&f);
    assert_non_null(planned_op(f.plan, OP_KIND_IMAGE_BUILD, "controller"));
    assert_non_null(planned_op(f.plan, OP_KIND_INSTANCE_STOP, "controller-1"));
    planned_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_alone_gets_the_socket_and_the_plan_says_so),
        cmocka_unit_test(the_key_is_sealed_and_only_for_it),
        cmocka_unit_test(no_other_component_may_ask_for_its_rights),
        cmocka_unit_test(its_page_is_published_without_being_asked),
        cmocka_unit_test(it_does_not_replace_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

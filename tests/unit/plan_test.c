/* SPDX-License-Identifier: MIT */
// fake: planned
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"
#include "plan/object.h"
#include "fake/planned.h"
#include "plan/host_dir.h"
#include "plan/plan.h"

static void from_nothing_the_plan_makes_everything_in_order(void **state)
{
    struct planned f = {0};
    struct buf b __attribute__((cleanup(buf_clear)));

    (void)state;
    planned_load(&f, PLANNED_DOCUMENT);
    planned_make(&f);
    buf_init(&b, 1 << 20);
    plan_print(&b, f.plan, false);
    assert_non_null(strstr(buf_str(&b), "create  instance  sleeper-2"));
    assert_true(planned_after(f.plan, planned_op(f.plan, OP_KIND_LINK_SEND, "sleeper-1"),
                              planned_op(f.plan, OP_KIND_ETCD_WAIT, "etcd")));
    assert_true(planned_after(f.plan, planned_op(f.plan, OP_KIND_LINK_SEND, "sleeper-1"),
                              planned_op(f.plan, OP_KIND_KEYS_PUSH, "sleeper")));
    assert_true(planned_after(f.plan, planned_op(f.plan, OP_KIND_KEYS_PUSH, "sleeper"),
                              planned_op(f.plan, OP_KIND_USER_ENSURE, "sleeper-2")));
    assert_false(planned_after(f.plan, planned_op(f.plan, OP_KIND_INSTANCE_CREATE, "sleeper-1"),
                               planned_op(f.plan, OP_KIND_ETCD_WAIT, "etcd")));
    planned_clear(&f);
}

static void the_same_input_gives_the_same_text(void **state)
{
    struct planned f = {0}, g = {0};
    struct buf a __attribute__((cleanup(buf_clear)));
    struct buf b __attribute__((cleanup(buf_clear)));

    (void)state;
    planned_load(&f, PLANNED_DOCUMENT);
    planned_load(&g, PLANNED_DOCUMENT);
    planned_make(&f);
    planned_make(&g);
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    plan_print(&a, f.plan, true);
    plan_print(&b, g.plan, true);
    assert_string_equal(buf_str(&a), buf_str(&b));
    planned_clear(&f);
    planned_clear(&g);
}

static void a_world_as_desired_has_an_empty_plan(void **state)
{
    struct planned f = {0};

    (void)state;
    planned_run(&f);
    planned_forget(&f);
    planned_make(&f);
    if (f.plan->count)
        fail_msg("%s: %s", op_verb(f.plan->ops[0].kind), f.plan->ops[0].target);
    assert_int_equal(f.plan->notes.count, 0);
    planned_clear(&f);
}

static void a_container_removed_by_hand_is_made_again_and_nothing_else(void **state)
{
    struct planned f = {0};

    (void)state;
    planned_run(&f);
    planned_forget(&f);
    node_free(f.observed->containers->items[2]);
    f.observed->containers->count = 2;
    planned_make(&f);
    assert_non_null(planned_op(f.plan, OP_KIND_INSTANCE_CREATE, "sleeper-2"));
    assert_null(planned_op(f.plan, OP_KIND_INSTANCE_CREATE, "sleeper-1"));
    assert_null(planned_op(f.plan, OP_KIND_KEYS_PUSH, "sleeper"));
    assert_null(planned_op(f.plan, OP_KIND_VOLUME_CREATE, "demo-sleeper-2-data"));
    planned_clear(&f);
}

static void only_what_never_reported_is_unheard(void **state)
{
    struct planned f = {0};

    (void)state;
    planned_load(&f, PLANNED_DOCUMENT);
    planned_make(&f);
    /* etcd is not there yet: nobody knows what it will hold. */
    assert_false(planned_op(f.plan, OP_KIND_INSTANCE_WAIT, "sleeper-1")->never_reported);
    planned_forget(&f);
    f.observed->etcd_answers = true;
    planned_make(&f);
    assert_true(planned_op(f.plan, OP_KIND_INSTANCE_WAIT, "sleeper-1")->never_reported);
    planned_clear(&f);
    planned_run(&f);
    for (size_t i = 0; i < f.observed->containers->count; i++)
        if (strcmp(object_label(f.observed->containers->items[i], LABEL_INSTANCE), "sleeper-1") ==
            0)
            node_set_text(f.observed->containers->items[i], "State", "exited");
    planned_forget(&f);
    planned_make(&f);
    assert_false(planned_op(f.plan, OP_KIND_INSTANCE_WAIT, "sleeper-1")->never_reported);
    planned_clear(&f);
}

static void a_new_image_replaces_one_after_the_images_are_there(void **state)
{
    struct planned f = {0};
    const struct op *stop, *wait;

    (void)state;
    planned_run(&f);
    planned_forget(&f);
    node_set_text(f.images, "sleeper", "slipway/sleeper:2");
    planned_make(&f);
    stop = planned_op(f.plan, OP_KIND_INSTANCE_STOP, "sleeper-1");
    wait = planned_op(f.plan, OP_KIND_INSTANCE_WAIT, "sleeper-1");
    assert_non_null(stop);
    assert_string_equal(stop->cause, "image slipway/sleeper:1 -> slipway/sleeper:2");
    assert_true(planned_after(f.plan, stop, planned_op(f.plan, OP_KIND_IMAGE_BUILD, "sleeper")));
    assert_true(wait->replaces);
    assert_true(
        planned_after(f.plan, planned_op(f.plan, OP_KIND_INSTANCE_REMOVE, "sleeper-1"), wait));
    planned_clear(&f);
}

static void list_port(struct node *containers, const char *name, const char *address, int port)
{
    struct node *c = node_add(containers, node_new_map()), *p;

    node_add_text(node_set(c, "Names", node_new_list()), name);
    p = node_add(node_set(c, "Ports", node_new_list()), node_new_map());
    node_set_text(p, "IP", address);
    node_set_int(p, "PublicPort", port);
    node_set_text(p, "Type", "tcp");
}

static void what_the_host_lacks_is_said_at_once_and_before_anything(void **state)
{
    struct planned f = {0};
    struct plan_opts o = {.catalog_version = "v"};
    struct err e;

    (void)state;
    planned_load(&f, "name: demo\nnetwork: {subnet: 10.90.1.0/24}\ncomponents:\n"
                     "  etcd: {instances: 1}\n"
                     "  sleeper: {instances: 3, overrides: {\n"
                     "    sleeper-1: {ports: {web: 8081}}, sleeper-2: {ports: {web: 8082}},\n"
                     "    sleeper-3: {ports: {web: '0.0.0.0:8083'}}}}\n");
    planned_make(&f);
    f.observed->host_ports = node_new_map();
    node_set_text(f.observed->host_ports, "127.0.0.1:8081", "another program listens there");
    node_set_text(f.observed->host_ports, "127.0.0.1:8082", "another program listens there");
    list_port(f.observed->containers, "/demo-sleeper-2", "127.0.0.1", 8082);
    list_port(f.observed->others, "/stranger", "127.0.0.1", 8083);
    list_port(f.observed->others, "/elsewhere", "::", 8082);
    strv_add(&f.observed->no_devices, "/dev/none");
    plan_free(f.plan);
    assert_int_equal(plan_up(&f.plan, f.desired, f.observed, &o, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_string_equal(
        e.msg, "2 problems, and nothing was changed: port 127.0.0.1:8081 of sleeper-1: another "
               "program listens there; publish another port, or free it\n"
               "port 0.0.0.0:8083 of sleeper-3: container stranger publishes it; stop that, or "
               "publish another port");
    f.plan = NULL;
    planned_clear(&f);
}

static void nothing_is_replaced_before_the_etcd_it_needs_is_back(void **state)
{
    struct planned f = {0};
    const struct op *stop;

    (void)state;
    planned_run(&f);
    planned_forget(&f);
    node_set_text(f.images, "etcd", "slipway/etcd:2");
    node_set_text(f.images, "sleeper", "slipway/sleeper:2");
    planned_make(&f);
    stop = planned_op(f.plan, OP_KIND_INSTANCE_STOP, "sleeper-1");
    assert_true(planned_after(f.plan, stop, planned_op(f.plan, OP_KIND_ETCD_WAIT, "etcd")));
    assert_true(planned_after(f.plan, stop, planned_op(f.plan, OP_KIND_LOCK_TAKE, "demo")));
    assert_true(planned_after(f.plan, stop, planned_op(f.plan, OP_KIND_INSTANCE_WAIT, "etcd-1")));
    planned_clear(&f);
}

static void a_successor_that_was_never_seen_well_goes_and_the_one_set_aside_stays(void **state)
{
    struct planned f = {0};
    const struct op *remove, *create;

    (void)state;
    planned_run(&f);
    planned_set_aside(&f);
    planned_forget(&f);
    node_set_text(f.images, "sleeper", "slipway/sleeper:2");
    planned_make(&f);
    assert_null(planned_op(f.plan, OP_KIND_INSTANCE_RENAME, "sleeper-1"));
    remove = planned_op(f.plan, OP_KIND_INSTANCE_REMOVE, "sleeper-1");
    create = planned_op(f.plan, OP_KIND_INSTANCE_CREATE, "sleeper-1");
    assert_non_null(remove);
    assert_string_equal(remove->object, "demo-sleeper-1");
    assert_true(planned_after(f.plan, create, remove));
    assert_true(planned_op(f.plan, OP_KIND_INSTANCE_WAIT, "sleeper-1")->replaces);
    planned_clear(&f);
}

static void of_two_networks_of_one_name_the_one_without_instances_goes_first(void **state)
{
    struct planned f = {0};
    struct node *twin;
    const struct op *removal;

    (void)state;
    planned_load(&f,
                 "name: demo\ncomponents:\n  etcd: {instances: 1}\n  sleeper: {instances: 2}\n");
    planned_make(&f);
    twin = node_add(f.observed->networks, desired_network_body(f.desired));
    node_set_text(node_get(node_get(twin, "IPAM"), "Config")->items[0], "Subnet", "10.99.9.0/24");
    node_set_text(twin, "Id", "twin");
    planned_bring_about(&f);
    node_free(f.observed->containers->items[2]);
    f.observed->containers->count = 2;
    planned_forget(&f);
    planned_make(&f);
    removal = planned_op(f.plan, OP_KIND_NETWORK_REMOVE, "demo-net");
    assert_non_null(removal);
    assert_string_equal(removal->object, "twin");
    assert_true(
        planned_after(f.plan, planned_op(f.plan, OP_KIND_INSTANCE_CREATE, "sleeper-2"), removal));
    planned_clear(&f);
}

static void a_foreign_container_is_a_conflict_that_says_what_to_do(void **state)
{
    struct planned f = {0};
    struct plan_opts o = {.catalog_version = "v"};
    struct desired_opts wish;
    struct node *c;
    struct err e;

    (void)state;
    planned_load(&f, PLANNED_DOCUMENT);
    c = node_add(f.observed->others, node_new_map());
    node_add_text(node_set(c, "Names", node_new_list()), "/demo-sleeper-1");
    wish = (struct desired_opts){.spec = f.spec,
                                 .key = &f.key,
                                 .folder = "/nowhere/demo",
                                 .images = f.images,
                                 .observed = f.observed};
    assert_int_equal(desired_build(&f.desired, &wish, &e), 0);
    assert_int_equal(plan_up(&f.plan, f.desired, f.observed, &o, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_non_null(strstr(e.msg, "docker rm -f demo-sleeper-1"));
    planned_clear(&f);
}

static void an_instance_no_longer_wanted_is_drained_stopped_and_removed(void **state)
{
    struct planned f = {0}, g = {0};

    (void)state;
    planned_run(&f);
    planned_load(&g, "name: demo\nnetwork: {subnet: 10.90.1.0/24}\n"
                     "components:\n  etcd: {instances: 1}\n  sleeper: {instances: 1}\n");
    observed_free(g.observed);
    g.observed = steal(f.observed);
    planned_make(&g);
    assert_true(planned_after(g.plan, planned_op(g.plan, OP_KIND_INSTANCE_STOP, "sleeper-2"),
                              planned_op(g.plan, OP_KIND_INSTANCE_DRAIN, "sleeper-2")));
    assert_true(planned_after(g.plan, planned_op(g.plan, OP_KIND_KEYS_REMOVE, "sleeper-2"),
                              planned_op(g.plan, OP_KIND_INSTANCE_REMOVE, "sleeper-2")));
    assert_null(planned_op(g.plan, OP_KIND_VOLUME_REMOVE, "demo-sleeper-2-data"));
    assert_int_equal(g.plan->notes.count, 1);
    planned_clear(&f);
    planned_clear(&g);
}

static void down_keeps_volumes_unless_asked_and_ends_with_etcd(void **state)
{
    struct planned f = {0};
    struct plan_down_opts keep = {0}, all = {.volumes = true, .home = true};
    struct plan *p = NULL;
    struct err e;

    (void)state;
    planned_run(&f);
    assert_int_equal(plan_down(&p, "demo", &f.key, f.observed, &keep, &e), 0);
    assert_null(planned_op(p, OP_KIND_VOLUME_REMOVE, "demo-etcd-1-data"));
    assert_true(planned_after(p, planned_op(p, OP_KIND_INSTANCE_STOP, "etcd-1"),
                              planned_op(p, OP_KIND_INSTANCE_REMOVE, "sleeper-2")));
    plan_free(p);
    assert_int_equal(plan_down(&p, "demo", &f.key, f.observed, &all, &e), 0);
    assert_non_null(planned_op(p, OP_KIND_VOLUME_REMOVE, "demo-etcd-1-data"));
    assert_int_equal(p->ops[p->count - 1].kind, OP_KIND_HOME_REMOVE);
    plan_free(p);
    planned_clear(&f);
}

static void no_secret_is_in_a_body_or_in_clear_in_a_key(void **state)
{
    struct planned f = {0};
    auto_node struct node *keys = NULL;
    auto_free char *body = NULL;
    auto_free char *text = NULL;
    auto_wipe char *password = NULL;
    struct err e;

    (void)state;
    planned_load(&f, PLANNED_DOCUMENT);
    planned_make(&f);
    password = secret_password(&f.key, "sleeper-1", 1);
    body = json_text(desired_find(f.desired, "sleeper-1")->body);
    assert_null(strstr(body, password));
    assert_int_equal(desired_keys(&keys, f.desired, &f.desired->components[1], &e), 0);
    text = json_text(keys);
    assert_null(strstr(text, password));
    assert_non_null(strstr(text, "\"v1:"));
    planned_clear(&f);
}

static void a_folder_of_the_host_is_a_bind_that_docker_makes(void **state)
{
    (void)state;
    struct planned f = {0};
    const struct node *binds;

    planned_load(&f, "name: demo\nnetwork: {subnet: 10.90.1.0/24}\n"
                     "components: {etcd: {instances: 1}, exporter: {instances: 1}}\n");
    node_set_text(f.images, "exporter", "slipway/exporter:1");
    planned_make(&f);
    binds = node_find(desired_find(f.desired, "exporter-1")->body, "HostConfig.Binds");
    assert_int_equal(binds->count, 1);
    assert_string_equal(binds->items[0]->text, "/var/lib/slipway/demo/exporter-1:/export:rshared");
    assert_null(node_find(desired_find(f.desired, "etcd-1")->body, "HostConfig.Binds"));
    planned_clear(&f);
}

static void a_right_is_there_while_its_key_is_true(void **state)
{
    static const struct {
        const char *config, *kinds;
        size_t binds;
    } rows[] = {
        {"", "SLIPWAY_MOUNT_KINDS=fuse", 1},
        {", config: {plugin: false}", "SLIPWAY_MOUNT_KINDS=fuse", 1},
        {", config: {plugin: true}", "SLIPWAY_MOUNT_KINDS=fuse,ext4", 2},
        {", overrides: {exporter-1: {config: {plugin: true}}}", "SLIPWAY_MOUNT_KINDS=fuse,ext4", 2},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_free char *document =
            mem_printf("name: demo\nnetwork: {subnet: 10.90.1.0/24}\n"
                       "components: {etcd: {instances: 1}, exporter: {instances: 1%s}}\n",
                       rows[i].config);
        struct planned f = {0};
        const struct node *body, *binds, *capabilities;

        planned_load(&f, document);
        node_set_text(f.images, "exporter", "slipway/exporter:1");
        planned_make(&f);
        body = desired_find(f.desired, "exporter-1")->body;
        binds = node_find(body, "HostConfig.Binds");
        assert_int_equal(binds->count, rows[i].binds);
        if (rows[i].binds == 2)
            assert_string_equal(binds->items[1]->text, "/run/docker/plugins:/plugins");
        assert_string_equal(node_get(body, "Env")->items[0]->text, "SLIPWAY_MOUNT_FOLDER=/export");
        assert_string_equal(node_get(body, "Env")->items[1]->text, rows[i].kinds);
        capabilities = node_find(body, "HostConfig.CapAdd");
        assert_int_equal(strcmp(capabilities->items[0]->text, "MKNOD") == 0, rows[i].binds == 2);
        assert_string_equal(capabilities->items[rows[i].binds - 1]->text, "SETPCAP");
        planned_clear(&f);
    }
}

static void a_mount_is_shared_as_its_nearest_mount_point_says(void **state)
{
    (void)state;
    static const char MOUNTS[] =
        "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
        "30 22 8:1 /var/a /var/a rw,relatime shared:5 - ext4 /dev/sda1 rw\n"
        "31 30 0:5 / /var/a/b rw master:1 - fuse x rw\n"
        "broken line\n";

    assert_false(host_dir_is_shared(MOUNTS, "/var"));
    assert_false(host_dir_is_shared(MOUNTS, "/var/ab"));
    assert_true(host_dir_is_shared(MOUNTS, "/var/a"));
    assert_true(host_dir_is_shared(MOUNTS, "/var/a/c"));
    assert_false(host_dir_is_shared(MOUNTS, "/var/a/b/c"));
    assert_false(host_dir_is_shared("", "/var"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_of_the_host_is_a_bind_that_docker_makes),
        cmocka_unit_test(a_right_is_there_while_its_key_is_true),
        cmocka_unit_test(a_mount_is_shared_as_its_nearest_mount_point_says),
        cmocka_unit_test(from_nothing_the_plan_makes_everything_in_order),
        cmocka_unit_test(the_same_input_gives_the_same_text),
        cmocka_unit_test(a_world_as_desired_has_an_empty_plan),
        cmocka_unit_test(a_container_removed_by_hand_is_made_again_and_nothing_else),
        cmocka_unit_test(only_what_never_reported_is_unheard),
        cmocka_unit_test(a_new_image_replaces_one_after_the_images_are_there),
        cmocka_unit_test(what_the_host_lacks_is_said_at_once_and_before_anything),
        cmocka_unit_test(nothing_is_replaced_before_the_etcd_it_needs_is_back),
        cmocka_unit_test(a_successor_that_was_never_seen_well_goes_and_the_one_set_aside_stays),
        cmocka_unit_test(of_two_networks_of_one_name_the_one_without_instances_goes_first),
        cmocka_unit_test(a_foreign_container_is_a_conflict_that_says_what_to_do),
        cmocka_unit_test(an_instance_no_longer_wanted_is_drained_stopped_and_removed),
        cmocka_unit_test(down_keeps_volumes_unless_asked_and_ends_with_etcd),
        cmocka_unit_test(no_secret_is_in_a_body_or_in_clear_in_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

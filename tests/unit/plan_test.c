/* SPDX-License-Identifier: MIT */
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
#include "conf/yaml.h"
#include "model/keys.h"
#include "plan/connect.h"
#include "plan/host_dir.h"
#include "plan/plan.h"

/* A small world in memory: the catalog of the tests, a document, and what an engine would list. */
struct fixture {
    struct catalog *catalog;
    struct spec *spec;
    struct env_key key;
    struct node *images;
    struct world *world;
    struct desired *desired;
    struct plan *plan;
};

static const char DOCUMENT[] = "name: demo\nnetwork: {subnet: 10.90.1.0/24}\n"
                               "components:\n  etcd: {instances: 1}\n  sleeper: {instances: 2}\n";

static struct world *empty_world(void)
{
    struct world *w = mem_alloc(sizeof(*w));

    w->containers = node_new_list();
    w->others = node_new_list();
    w->networks = node_new_list();
    w->volumes = node_new_list();
    return w;
}

static void load(struct fixture *f, const char *document)
{
    static const char *const DIRS[] = {"components", "tests/data/components"};
    auto_node struct node *root = NULL;
    struct problems p;
    struct err e;

    problems_init(&p, "test");
    if (catalog_load(&f->catalog, DIRS, ARRAY_LEN(DIRS), &p) < 0)
        fail_msg("%s", p.lines.items[0]);
    if (yaml_parse(&root, "test", document, strlen(document), &e) < 0)
        fail_msg("%s", e.msg);
    f->spec = spec_decode(root, f->catalog, &p);
    if (!f->spec)
        fail_msg("%s", p.lines.items[0]);
    problems_clear(&p);
    memset(f->key.bytes, 7, sizeof(f->key.bytes));
    memcpy(f->key.uuid, "11111111-2222-8333-8444-555555555555", sizeof(f->key.uuid));
    f->images = node_new_map();
    node_set_text(f->images, "etcd", "slipway/etcd:1");
    node_set_text(f->images, "sleeper", "slipway/sleeper:1");
    f->world = empty_world();
}

static void make_plan(struct fixture *f)
{
    struct plan_opts o = {.catalog_version = "v", .locked = false};
    struct err e;

    if (desired_build(&f->desired, f->spec, &f->key, f->images, f->world, &e) < 0)
        fail_msg("%s", e.msg);
    if (plan_up(&f->plan, f->desired, f->world, &o, &e) < 0)
        fail_msg("%s", e.msg);
}

static void forget_plan(struct fixture *f)
{
    plan_free(f->plan);
    desired_free(f->desired);
    f->plan = NULL;
    f->desired = NULL;
}

static void clear(struct fixture *f)
{
    forget_plan(f);
    world_free(f->world);
    node_free(f->images);
    spec_free(f->spec);
    catalog_free(f->catalog);
}

static void put_key(struct world *w, const char *key, const char *value)
{
    w->keys.items = mem_grow(w->keys.items, w->keys.count + 1, sizeof(*w->keys.items));
    w->keys.items[w->keys.count++] = (struct etcd_kv){
        .key = mem_strdup(key), .value = mem_strdup(value), .value_len = strlen(value)};
}

static int by_key(const void *a, const void *b)
{
    const struct etcd_kv *x = a, *y = b;

    return strcmp(x->key, y->key);
}

/* What an engine would list for a body. */
static void put_container(struct world *w, const struct desired_instance *it, const char *state)
{
    struct node *c = node_add(w->containers, node_new_map());
    auto_free char *name = mem_printf("/%s", it->container);

    node_set_text(c, "Id", it->container);
    node_add_text(node_set(c, "Names", node_new_list()), name);
    node_set_text(c, "Image", it->image);
    node_set_text(c, "State", state);
    node_set(c, "Labels", node_copy(node_get(it->body, "Labels")));
}

/* The world as it is after the plan of the fixture was carried out. */
static void bring_about(struct fixture *f)
{
    struct world *w = f->world;
    struct desired *d = f->desired;
    struct err e;

    node_add(w->networks, desired_network_body(d));
    for (size_t i = 0; i < d->count; i++) {
        put_container(w, &d->items[i], "running");
        for (size_t v = 0; v < d->items[i].spec->volumes.count; v++)
            node_add(w->volumes, desired_volume_body(d, &d->items[i], (int)v));
    }
    for (size_t i = 0; i < d->component_count; i++) {
        auto_node struct node *keys = NULL;
        const struct node *value;

        strv_add(&w->images, d->components[i].image);
        assert_int_equal(desired_keys(&keys, d, &d->components[i], &e), 0);
        node_for_each (value, keys) {
            put_key(w, value->key, value->text);
        }
    }
    for (size_t i = 0; i < d->count; i++) {
        auto_free char *status = keys_instance_status("demo", d->items[i].spec->name);
        auto_free char *applied = keys_instance_applied("demo", d->items[i].spec->name);

        put_key(w, status, "{\"state\":\"ready\",\"health\":\"healthy\"}");
        put_key(w, applied, "{\"result\":\"ok\"}");
    }
    {
        auto_free char *key = keys_spec("demo");
        auto_free char *text = desired_spec(d, "v");

        put_key(w, key, text);
    }
    qsort(w->keys.items, w->keys.count, sizeof(*w->keys.items), by_key);
    w->etcd_expected = w->etcd_answers = true;
}

static const struct op *find_op(const struct plan *p, enum op_kind kind, const char *target)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->ops[i].kind == kind && strcmp(p->ops[i].target, target) == 0)
            return &p->ops[i];
    return NULL;
}

/* True when a comes, directly or through others, after b. */
static bool comes_after(const struct plan *p, const struct op *a, const struct op *b)
{
    for (size_t i = 0; i < a->dep_count; i++)
        if (&p->ops[a->deps[i]] == b || comes_after(p, &p->ops[a->deps[i]], b))
            return true;
    return false;
}

static void from_nothing_the_plan_makes_everything_in_order(void **state)
{
    struct fixture f = {0};
    struct buf b __attribute__((cleanup(buf_clear)));

    (void)state;
    load(&f, DOCUMENT);
    make_plan(&f);
    buf_init(&b, 1 << 20);
    plan_print(&b, f.plan, false);
    assert_non_null(strstr(buf_str(&b), "create  instance  sleeper-2"));
    assert_true(comes_after(f.plan, find_op(f.plan, OP_KIND_INSTANCE_START, "sleeper-1"),
                            find_op(f.plan, OP_KIND_ETCD_WAIT, "etcd")));
    assert_true(comes_after(f.plan, find_op(f.plan, OP_KIND_INSTANCE_START, "sleeper-1"),
                            find_op(f.plan, OP_KIND_KEYS_PUSH, "sleeper")));
    assert_true(comes_after(f.plan, find_op(f.plan, OP_KIND_KEYS_PUSH, "sleeper"),
                            find_op(f.plan, OP_KIND_USER_ENSURE, "sleeper-2")));
    assert_false(comes_after(f.plan, find_op(f.plan, OP_KIND_INSTANCE_CREATE, "sleeper-1"),
                             find_op(f.plan, OP_KIND_ETCD_WAIT, "etcd")));
    clear(&f);
}

static void a_new_container_gets_its_link_when_it_runs_and_etcds_own_before(void **state)
{
    struct fixture f = {0};

    (void)state;
    load(&f, DOCUMENT);
    make_plan(&f);
    assert_true(comes_after(f.plan, find_op(f.plan, OP_KIND_LINK_SEND, "sleeper-1"),
                            find_op(f.plan, OP_KIND_INSTANCE_START, "sleeper-1")));
    assert_true(comes_after(f.plan, find_op(f.plan, OP_KIND_INSTANCE_WAIT, "sleeper-1"),
                            find_op(f.plan, OP_KIND_LINK_SEND, "sleeper-1")));
    assert_null(find_op(f.plan, OP_KIND_LINK_PUT, "sleeper-1"));
    assert_null(find_op(f.plan, OP_KIND_LINK_SEND, "etcd-1"));
    assert_true(comes_after(f.plan, find_op(f.plan, OP_KIND_INSTANCE_START, "etcd-1"),
                            find_op(f.plan, OP_KIND_LINK_PUT, "etcd-1")));
    clear(&f);
}

static void a_running_container_that_never_reported_gets_its_link_again(void **state)
{
    struct fixture f = {0};

    (void)state;
    load(&f, DOCUMENT);
    make_plan(&f);
    bring_about(&f);
    forget_plan(&f);
    for (size_t i = 0; i < f.world->keys.count; i++) {
        struct etcd_kv *kv = &f.world->keys.items[i];

        if (strstr(kv->key, "sleeper-1/applied"))
            kv->value[0] = '\0';
    }
    make_plan(&f);
    assert_true(comes_after(f.plan, find_op(f.plan, OP_KIND_INSTANCE_WAIT, "sleeper-1"),
                            find_op(f.plan, OP_KIND_LINK_PUT, "sleeper-1")));
    assert_null(find_op(f.plan, OP_KIND_INSTANCE_START, "sleeper-1"));
    assert_null(find_op(f.plan, OP_KIND_LINK_PUT, "sleeper-2"));
    clear(&f);
}

static void the_successor_of_one_still_aside_is_waited_for_before_that_goes(void **state)
{
    struct fixture f = {0};
    const struct op *wait, *remove;
    struct node *c;

    (void)state;
    load(&f, DOCUMENT);
    make_plan(&f);
    bring_about(&f);
    c = node_add(f.world->containers, node_copy(f.world->containers->items[1]));
    node_set_text(c, "State", "exited");
    node_add_text(node_set(c, "Names", node_new_list()), "/demo-sleeper-1" CONNECT_ASIDE);
    forget_plan(&f);
    make_plan(&f);
    wait = find_op(f.plan, OP_KIND_INSTANCE_WAIT, "sleeper-1");
    remove = find_op(f.plan, OP_KIND_INSTANCE_REMOVE, "sleeper-1");
    assert_non_null(wait);
    assert_true(wait->replaces);
    assert_non_null(remove);
    assert_true(comes_after(f.plan, remove, wait));
    assert_true(comes_after(f.plan, wait, find_op(f.plan, OP_KIND_LINK_PUT, "sleeper-1")));
    clear(&f);
}

static void the_same_input_gives_the_same_text(void **state)
{
    struct fixture f = {0}, g = {0};
    struct buf a __attribute__((cleanup(buf_clear)));
    struct buf b __attribute__((cleanup(buf_clear)));

    (void)state;
    load(&f, DOCUMENT);
    load(&g, DOCUMENT);
    make_plan(&f);
    make_plan(&g);
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    plan_print(&a, f.plan, true);
    plan_print(&b, g.plan, true);
    assert_string_equal(buf_str(&a), buf_str(&b));
    clear(&f);
    clear(&g);
}

static void a_world_as_desired_has_an_empty_plan(void **state)
{
    struct fixture f = {0};

    (void)state;
    load(&f, DOCUMENT);
    make_plan(&f);
    bring_about(&f);
    forget_plan(&f);
    make_plan(&f);
    if (f.plan->count)
        fail_msg("%s: %s", op_verb(f.plan->ops[0].kind), f.plan->ops[0].target);
    assert_int_equal(f.plan->notes.count, 0);
    clear(&f);
}

static void a_container_removed_by_hand_is_made_again_and_nothing_else(void **state)
{
    struct fixture f = {0};

    (void)state;
    load(&f, DOCUMENT);
    make_plan(&f);
    bring_about(&f);
    forget_plan(&f);
    node_free(f.world->containers->items[2]);
    f.world->containers->count = 2;
    make_plan(&f);
    assert_non_null(find_op(f.plan, OP_KIND_INSTANCE_CREATE, "sleeper-2"));
    assert_null(find_op(f.plan, OP_KIND_INSTANCE_CREATE, "sleeper-1"));
    assert_null(find_op(f.plan, OP_KIND_KEYS_PUSH, "sleeper"));
    assert_null(find_op(f.plan, OP_KIND_VOLUME_CREATE, "demo-sleeper-2-data"));
    clear(&f);
}

static void a_new_image_replaces_one_after_the_images_are_there(void **state)
{
    struct fixture f = {0};
    const struct op *stop, *wait;

    (void)state;
    load(&f, DOCUMENT);
    make_plan(&f);
    bring_about(&f);
    forget_plan(&f);
    node_set_text(f.images, "sleeper", "slipway/sleeper:2");
    make_plan(&f);
    stop = find_op(f.plan, OP_KIND_INSTANCE_STOP, "sleeper-1");
    wait = find_op(f.plan, OP_KIND_INSTANCE_WAIT, "sleeper-1");
    assert_non_null(stop);
    assert_string_equal(stop->cause, "image slipway/sleeper:1 -> slipway/sleeper:2");
    assert_true(comes_after(f.plan, stop, find_op(f.plan, OP_KIND_IMAGE_BUILD, "sleeper")));
    assert_true(wait->replaces);
    assert_true(comes_after(f.plan, find_op(f.plan, OP_KIND_INSTANCE_REMOVE, "sleeper-1"), wait));
    clear(&f);
}

static void nothing_is_replaced_before_the_etcd_it_needs_is_back(void **state)
{
    struct fixture f = {0};
    const struct op *stop;

    (void)state;
    load(&f, DOCUMENT);
    make_plan(&f);
    bring_about(&f);
    forget_plan(&f);
    node_set_text(f.images, "etcd", "slipway/etcd:2");
    node_set_text(f.images, "sleeper", "slipway/sleeper:2");
    make_plan(&f);
    stop = find_op(f.plan, OP_KIND_INSTANCE_STOP, "sleeper-1");
    assert_true(comes_after(f.plan, stop, find_op(f.plan, OP_KIND_ETCD_WAIT, "etcd")));
    assert_true(comes_after(f.plan, stop, find_op(f.plan, OP_KIND_LOCK_TAKE, "demo")));
    assert_true(comes_after(f.plan, stop, find_op(f.plan, OP_KIND_INSTANCE_WAIT, "etcd-1")));
    clear(&f);
}

static void a_successor_that_was_never_seen_well_goes_and_the_one_set_aside_stays(void **state)
{
    struct fixture f = {0};
    const struct op *remove, *create;
    struct node *c;

    (void)state;
    load(&f, DOCUMENT);
    make_plan(&f);
    bring_about(&f);
    c = node_add(f.world->containers, node_copy(f.world->containers->items[1]));
    node_set_text(c, "State", "exited");
    node_add_text(node_set(c, "Names", node_new_list()), "/demo-sleeper-1" CONNECT_ASIDE);
    forget_plan(&f);
    node_set_text(f.images, "sleeper", "slipway/sleeper:2");
    make_plan(&f);
    assert_null(find_op(f.plan, OP_KIND_INSTANCE_RENAME, "sleeper-1"));
    remove = find_op(f.plan, OP_KIND_INSTANCE_REMOVE, "sleeper-1");
    create = find_op(f.plan, OP_KIND_INSTANCE_CREATE, "sleeper-1");
    assert_non_null(remove);
    assert_string_equal(remove->object, "demo-sleeper-1");
    assert_true(comes_after(f.plan, create, remove));
    assert_true(find_op(f.plan, OP_KIND_INSTANCE_WAIT, "sleeper-1")->replaces);
    clear(&f);
}

static void of_two_networks_of_one_name_the_one_without_instances_goes_first(void **state)
{
    struct fixture f = {0};
    struct node *twin;
    const struct op *removal;

    (void)state;
    load(&f, "name: demo\ncomponents:\n  etcd: {instances: 1}\n  sleeper: {instances: 2}\n");
    make_plan(&f);
    twin = node_add(f.world->networks, desired_network_body(f.desired));
    node_set_text(node_get(node_get(twin, "IPAM"), "Config")->items[0], "Subnet", "10.99.9.0/24");
    node_set_text(twin, "Id", "twin");
    bring_about(&f);
    node_free(f.world->containers->items[2]);
    f.world->containers->count = 2;
    forget_plan(&f);
    make_plan(&f);
    removal = find_op(f.plan, OP_KIND_NETWORK_REMOVE, "demo-net");
    assert_non_null(removal);
    assert_string_equal(removal->object, "twin");
    assert_true(
        comes_after(f.plan, find_op(f.plan, OP_KIND_INSTANCE_CREATE, "sleeper-2"), removal));
    clear(&f);
}

static void a_foreign_container_is_a_conflict_that_says_what_to_do(void **state)
{
    struct fixture f = {0};
    struct plan_opts o = {.catalog_version = "v"};
    struct node *c;
    struct err e;

    (void)state;
    load(&f, DOCUMENT);
    c = node_add(f.world->others, node_new_map());
    node_add_text(node_set(c, "Names", node_new_list()), "/demo-sleeper-1");
    assert_int_equal(desired_build(&f.desired, f.spec, &f.key, f.images, f.world, &e), 0);
    assert_int_equal(plan_up(&f.plan, f.desired, f.world, &o, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_non_null(strstr(e.msg, "docker rm -f demo-sleeper-1"));
    clear(&f);
}

static void an_instance_no_longer_wanted_is_drained_stopped_and_removed(void **state)
{
    struct fixture f = {0}, g = {0};

    (void)state;
    load(&f, DOCUMENT);
    make_plan(&f);
    bring_about(&f);
    load(&g, "name: demo\nnetwork: {subnet: 10.90.1.0/24}\n"
             "components:\n  etcd: {instances: 1}\n  sleeper: {instances: 1}\n");
    world_free(g.world);
    g.world = steal(f.world);
    make_plan(&g);
    assert_true(comes_after(g.plan, find_op(g.plan, OP_KIND_INSTANCE_STOP, "sleeper-2"),
                            find_op(g.plan, OP_KIND_INSTANCE_DRAIN, "sleeper-2")));
    assert_true(comes_after(g.plan, find_op(g.plan, OP_KIND_KEYS_REMOVE, "sleeper-2"),
                            find_op(g.plan, OP_KIND_INSTANCE_REMOVE, "sleeper-2")));
    assert_null(find_op(g.plan, OP_KIND_VOLUME_REMOVE, "demo-sleeper-2-data"));
    assert_int_equal(g.plan->notes.count, 1);
    clear(&f);
    clear(&g);
}

static void down_keeps_volumes_unless_asked_and_ends_with_etcd(void **state)
{
    struct fixture f = {0};
    struct plan_down_opts keep = {0}, all = {.volumes = true, .home = true};
    struct plan *p = NULL;
    struct err e;

    (void)state;
    load(&f, DOCUMENT);
    make_plan(&f);
    bring_about(&f);
    assert_int_equal(plan_down(&p, "demo", &f.key, f.world, &keep, &e), 0);
    assert_null(find_op(p, OP_KIND_VOLUME_REMOVE, "demo-etcd-1-data"));
    assert_true(comes_after(p, find_op(p, OP_KIND_INSTANCE_STOP, "etcd-1"),
                            find_op(p, OP_KIND_INSTANCE_REMOVE, "sleeper-2")));
    plan_free(p);
    assert_int_equal(plan_down(&p, "demo", &f.key, f.world, &all, &e), 0);
    assert_non_null(find_op(p, OP_KIND_VOLUME_REMOVE, "demo-etcd-1-data"));
    assert_int_equal(p->ops[p->count - 1].kind, OP_KIND_HOME_REMOVE);
    plan_free(p);
    clear(&f);
}

static void no_secret_is_in_a_body_or_in_clear_in_a_key(void **state)
{
    struct fixture f = {0};
    auto_node struct node *keys = NULL;
    auto_free char *body = NULL;
    auto_free char *text = NULL;
    auto_wipe char *password = NULL;
    struct err e;

    (void)state;
    load(&f, DOCUMENT);
    make_plan(&f);
    password = secret_password(&f.key, "sleeper-1", 1);
    body = json_text(desired_find(f.desired, "sleeper-1")->body);
    assert_null(strstr(body, password));
    assert_int_equal(desired_keys(&keys, f.desired, &f.desired->components[1], &e), 0);
    text = json_text(keys);
    assert_null(strstr(text, password));
    assert_non_null(strstr(text, "\"v1:"));
    clear(&f);
}

static void a_folder_of_the_host_is_a_bind_that_docker_makes(void **state)
{
    (void)state;
    struct fixture f = {0};
    const struct node *binds;

    load(&f, "name: demo\nnetwork: {subnet: 10.90.1.0/24}\n"
             "components: {etcd: {instances: 1}, exporter: {instances: 1}}\n");
    node_set_text(f.images, "exporter", "slipway/exporter:1");
    make_plan(&f);
    binds = node_find(desired_find(f.desired, "exporter-1")->body, "HostConfig.Binds");
    assert_int_equal(binds->count, 1);
    assert_string_equal(binds->items[0]->text, "/var/lib/slipway/demo/exporter-1:/export:rshared");
    assert_null(node_find(desired_find(f.desired, "etcd-1")->body, "HostConfig.Binds"));
    clear(&f);
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
        cmocka_unit_test(a_mount_is_shared_as_its_nearest_mount_point_says),
        cmocka_unit_test(from_nothing_the_plan_makes_everything_in_order),
        cmocka_unit_test(a_new_container_gets_its_link_when_it_runs_and_etcds_own_before),
        cmocka_unit_test(a_running_container_that_never_reported_gets_its_link_again),
        cmocka_unit_test(the_successor_of_one_still_aside_is_waited_for_before_that_goes),
        cmocka_unit_test(the_same_input_gives_the_same_text),
        cmocka_unit_test(a_world_as_desired_has_an_empty_plan),
        cmocka_unit_test(a_container_removed_by_hand_is_made_again_and_nothing_else),
        cmocka_unit_test(a_new_image_replaces_one_after_the_images_are_there),
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

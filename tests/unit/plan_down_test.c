/* SPDX-License-Identifier: MIT */
// fake: planned
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake/planned.h"
#include "model/keys.h"
#include "plan/object.h"
#include "plan/plan.h"

static void add_container(struct observed *w, const char *component, const char *propagation)
{
    struct node *c = node_add(w->containers, node_new_map());
    struct node *labels = node_set(c, "Labels", node_new_map());
    auto_free char *instance = mem_printf("%s-1", component);
    struct node *mount = node_add(node_set(c, "Mounts", node_new_list()), node_new_map());

    node_set_text(c, "Id", instance);
    node_set_text(c, "State", "running");
    node_set_text(labels, LABEL_COMPONENT, component);
    node_set_text(labels, LABEL_INSTANCE, instance);
    node_set_text(mount, "Propagation", propagation);
}

static const struct op *find_op(const struct plan *p, enum op_kind kind, const char *target)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->ops[i].kind == kind && strcmp(p->ops[i].target, target) == 0)
            return &p->ops[i];
    return NULL;
}

static bool comes_after(const struct plan *p, const struct op *a, const struct op *b)
{
    for (size_t i = 0; i < a->dep_count; i++)
        if (&p->ops[a->deps[i]] == b || comes_after(p, &p->ops[a->deps[i]], b))
            return true;
    return false;
}

static void what_mounted_something_on_the_host_is_stopped_before_all_others(void **state)
{
    struct plan_down_opts all = {.volumes = true};
    struct observed *w = planned_nothing_there();
    struct plan *p = NULL;
    struct env_key key = {0};
    const struct op *stop;
    struct err e;

    (void)state;
    add_container(w, "etcd", "");
    add_container(w, "storage", "rprivate");
    add_container(w, "driver", "rshared");
    assert_int_equal(plan_down(&p, "demo", &key, w, &all, &e), 0);
    stop = find_op(p, OP_KIND_INSTANCE_STOP, "driver-1");
    assert_non_null(stop);
    assert_true(comes_after(p, find_op(p, OP_KIND_INSTANCE_REMOVE, "driver-1"), stop));
    assert_true(comes_after(p, find_op(p, OP_KIND_INSTANCE_REMOVE, "storage-1"), stop));
    assert_true(comes_after(p, find_op(p, OP_KIND_INSTANCE_REMOVE, "etcd-1"), stop));
    assert_true(comes_after(p, find_op(p, OP_KIND_INSTANCE_REMOVE, "etcd-1"),
                            find_op(p, OP_KIND_INSTANCE_REMOVE, "storage-1")));
    assert_null(find_op(p, OP_KIND_INSTANCE_STOP, "storage-1"));
    plan_free(p);
    observed_free(w);
}

static void what_needs_others_is_stopped_before_them(void **state)
{
    char disk_name[] = "disk", brain_name[] = "brain";
    struct manifest disk = {.name = disk_name}, brain = {.name = brain_name};
    struct manifest *items[] = {&brain, &disk};
    struct catalog catalog = {.items = items, .count = 2};
    struct env_key key = {0};

    (void)state;
    strv_add(&disk.requires, "brain");
    strv_add(&brain.requires, "etcd");
    for (int volumes = 0; volumes < 2; volumes++) {
        struct plan_down_opts o = {.volumes = volumes, .catalog = &catalog};
        struct observed *w = planned_nothing_there();
        struct plan *p = NULL;
        struct err e;

        add_container(w, "etcd", "");
        add_container(w, "brain", "");
        add_container(w, "disk", volumes ? "rshared" : "");
        assert_int_equal(plan_down(&p, "demo", &key, w, &o, &e), 0);
        const struct op *stop = find_op(p, OP_KIND_INSTANCE_STOP, "disk-1");

        assert_non_null(stop);
        assert_true(comes_after(p, find_op(p, OP_KIND_INSTANCE_REMOVE, "brain-1"), stop));
        if (!volumes)
            assert_true(comes_after(p, find_op(p, OP_KIND_INSTANCE_STOP, "brain-1"), stop));
        assert_int_equal(find_op(p, OP_KIND_INSTANCE_STOP, "brain-1") != NULL, !volumes);
        plan_free(p);
        observed_free(w);
    }
    strv_clear(&disk.requires);
    strv_clear(&brain.requires);
}

static void add_volume(struct observed *w, const char *instance, const struct env_key *key)
{
    struct node *v = node_add(w->volumes, node_new_map());
    struct node *labels = node_set(v, "Labels", node_new_map());
    auto_free char *name = mem_printf("demo-%s-data", instance);

    node_set_text(v, "Name", name);
    node_set_text(labels, LABEL_ENV, key->uuid);
    node_set_text(labels, LABEL_NAME, "demo");
    node_set_text(labels, LABEL_INSTANCE, instance);
}

static void single_instances_are_removed_without_touching_anything_else(void **state)
{
    struct env_key key = {.uuid = "11111111-1111-1111-1111-111111111111"};
    auto_strv struct strv names = {0};
    struct plan_down_opts o = {.instances = &names};
    struct observed *w = planned_nothing_there();
    struct err e;

    (void)state;
    strv_add(&names, "storage-1");
    add_container(w, "etcd", "");
    add_container(w, "storage", "rprivate");
    add_volume(w, "etcd-1", &key);
    add_volume(w, "storage-1", &key);
    w->etcd_answers = true;
    for (int volumes = 0; volumes < 2; volumes++) {
        struct plan *p = NULL;

        o.volumes = volumes;
        assert_int_equal(plan_down(&p, "demo", &key, w, &o, &e), 0);
        assert_int_equal(p->count, 2 + volumes);
        assert_non_null(find_op(p, OP_KIND_INSTANCE_STOP, "storage-1"));
        assert_true(comes_after(p, find_op(p, OP_KIND_INSTANCE_REMOVE, "storage-1"),
                                find_op(p, OP_KIND_INSTANCE_STOP, "storage-1")));
        assert_int_equal(find_op(p, OP_KIND_VOLUME_REMOVE, "demo-storage-1-data") != NULL, volumes);
        assert_int_equal(p->notes.count, 0);
        plan_free(p);
    }
    observed_free(w);
}

static void add_key(struct observed *w, char *key)
{
    w->keys.items = mem_grow(w->keys.items, w->keys.count + 1, sizeof(*w->keys.items));
    w->keys.items[w->keys.count++] =
        (struct etcd_kv){.key = key, .value = mem_strdup("{}"), .value_len = 2};
    w->etcd_answers = true;
}

static void data_that_goes_is_forgotten_after_its_agent_and_before_its_volume(void **state)
{
    struct env_key key = {.uuid = "11111111-1111-1111-1111-111111111111"};
    auto_strv struct strv names = {0};
    struct plan_down_opts o = {.instances = &names, .volumes = true};
    struct observed *w = planned_nothing_there();
    const struct op *record;
    struct err e;

    (void)state;
    strv_add(&names, "storage-1");
    add_container(w, "storage", "rprivate");
    add_volume(w, "storage-1", &key);
    add_key(w, keys_instance_applied("demo", "storag-1"));
    add_key(w, keys_instance_applied("demo", "storage-1"));
    for (int others = 0; others < 2; others++) {
        struct plan *p = NULL;

        assert_int_equal(plan_down(&p, "demo", &key, w, &o, &e), 0);
        record = find_op(p, OP_KIND_RECORD_REMOVE, "storage-1");
        assert_non_null(record);
        assert_true(comes_after(p, record, find_op(p, OP_KIND_INSTANCE_REMOVE, "storage-1")));
        assert_true(
            comes_after(p, find_op(p, OP_KIND_VOLUME_REMOVE, "demo-storage-1-data"), record));
        if (others)
            assert_null(record->object);
        else
            assert_string_equal(record->object, "storage");
        plan_free(p);
        add_key(w, keys_instance_applied("demo", "storage-2"));
    }
    observed_free(w);
}

static void a_volume_that_is_named_takes_its_record_along(void **state)
{
    struct env_key key = {.uuid = "11111111-1111-1111-1111-111111111111"};
    auto_strv struct strv named = {0};
    struct plan_down_opts o = {.named = &named};
    struct observed *w = planned_nothing_there();
    struct plan *p = NULL;
    struct err e;

    (void)state;
    strv_add(&named, "demo-storage-1-data");
    add_volume(w, "storage-1", &key);
    assert_int_equal(plan_down(&p, "demo", &key, w, &o, &e), 0);
    assert_int_equal(p->count, 1);
    assert_int_equal(p->notes.count, 1);
    assert_non_null(strstr(p->notes.items[0], "storage-1 had data"));
    plan_free(p);
    add_key(w, keys_instance_applied("demo", "storage-1"));
    assert_int_equal(plan_down(&p, "demo", &key, w, &o, &e), 0);
    assert_int_equal(p->count, 2);
    assert_non_null(find_op(p, OP_KIND_RECORD_REMOVE, "storage-1"));
    assert_int_equal(p->notes.count, 0);
    plan_free(p);
    observed_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_needs_others_is_stopped_before_them),
        cmocka_unit_test(what_mounted_something_on_the_host_is_stopped_before_all_others),
        cmocka_unit_test(single_instances_are_removed_without_touching_anything_else),
        cmocka_unit_test(data_that_goes_is_forgotten_after_its_agent_and_before_its_volume),
        cmocka_unit_test(a_volume_that_is_named_takes_its_record_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

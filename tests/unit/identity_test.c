/* SPDX-License-Identifier: MIT */
/* What a plan does about containers and volumes that carry our labels and are others. */
// fake: planned
// wrap: engine_image_inspect
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake/planned.h"
#include "plan/object.h"
#include "plan/plan.h"

static const char UUID[] = "11111111-2222-8333-8444-555555555555";

/* ---- sorting ---- */

int __wrap_engine_image_inspect(struct node **out, struct engine *g, const char *ref,
                                struct err *e);

/* Images "copy..." were made by `docker commit`; "gone..." are not there any more. */
int __wrap_engine_image_inspect(struct node **out, struct engine *g, const char *ref, struct err *e)
{
    (void)g;
    if (strncmp(ref, "gone", 4) == 0)
        return err_set(e, ERR_NOTFOUND, "no such image");
    *out = node_new_map();
    if (strncmp(ref, "copy", 4) == 0)
        node_set_text(node_set(node_set(*out, "Config", node_new_map()), "Labels", node_new_map()),
                      LABEL_ENV, UUID);
    return 0;
}

static struct node *container(struct node *list, const char *name, const char *image,
                              const char *id)
{
    struct node *c = node_add(list, node_new_map());
    struct node *labels = node_set(c, "Labels", node_new_map());

    node_add_text(node_set(c, "Names", node_new_list()), name);
    node_set_text(c, "Image", image);
    node_set_text(c, "ImageID", id);
    node_set_text(c, "State", "running");
    node_set_text(labels, LABEL_ENV, UUID);
    node_set_text(labels, LABEL_NAME, "demo");
    node_set_text(labels, LABEL_INSTANCE, "x-1");
    return c;
}

static void a_container_is_an_instances_by_label_name_and_image(void **state)
{
    static const struct {
        const char *name, *image, *id, *list;
    } rows[] = {
        {"/demo-x-1", "slipway/x:1", "ours", "instances"},
        {"/demo-x-1", "sha256:12", "ours", "instances"}, /* its tag means another image now */
        {"/demo-x-1", "sha256:12", "gone", "instances"},
        {"/demo-x-1.old", "slipway/x:1", "ours", "instances"},
        {"/other", "slipway/x:1", "ours", "instances"}, /* renamed */
        {"/other", "copy:1", "copy", "strays"},
        {"/other", "sha256:12", "copy", "strays"},
        {"/demo-x-1", "copy:1", "copy", "strays"},
        {"/demo-x-1", "sha256:12", "copy", "strays"},
        {"/demo-x-1.old", "copy:1", "copy", "strays"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_node struct node *all = node_new_list();
        auto_node struct node *instances = node_new_list();
        auto_node struct node *strays = node_new_list();
        auto_node struct node *others = node_new_list();
        struct object_lists lists = {instances, strays, others};
        struct err e;

        container(all, rows[i].name, rows[i].image, rows[i].id);
        assert_int_equal(object_sort(&lists, all, NULL, UUID, &e), 0);
        assert_int_equal(instances->count, strcmp(rows[i].list, "instances") == 0);
        assert_int_equal(strays->count, strcmp(rows[i].list, "strays") == 0);
        assert_int_equal(others->count, 0);
    }
}

static void one_that_was_renamed_gives_way_to_one_with_the_name(void **state)
{
    (void)state;
    auto_node struct node *all = node_new_list();
    auto_node struct node *instances = node_new_list();
    auto_node struct node *strays = node_new_list();
    auto_node struct node *others = node_new_list();
    struct object_lists lists = {instances, strays, others};
    struct err e;

    container(all, "/other", "slipway/x:1", "ours");
    container(all, "/demo-x-1", "slipway/x:1", "ours");
    assert_int_equal(object_sort(&lists, all, NULL, UUID, &e), 0);
    assert_int_equal(instances->count, 1);
    assert_string_equal(object_name(instances->items[0]), "demo-x-1");
    assert_string_equal(object_name(strays->items[0]), "other");
}

/* ---- planning ---- */

static int plan(struct planned *f, struct err *e)
{
    struct plan_opts o = {.catalog_version = "v"};
    const struct desired_opts wish = {.spec = f->spec,
                                      .key = &f->key,
                                      .folder = "/nowhere/demo",
                                      .images = f->images,
                                      .observed = f->observed};

    planned_forget(f);
    assert_int_equal(desired_build(&f->desired, &wish, e), 0);
    return plan_up(&f->plan, f->desired, f->observed, &o, e);
}

static struct node *seen(const struct planned *f, const char *instance)
{
    return (struct node *)(uintptr_t)object_find_instance(f->observed->containers, instance);
}

static void a_renamed_container_gets_its_name_back_before_anything_else(void **state)
{
    struct planned f = {0};
    const struct op *name;
    struct node *c;
    struct err e;

    (void)state;
    planned_run(&f);
    c = seen(&f, "sleeper-1");
    node_add_text(node_set(c, "Names", node_new_list()), "/other");
    assert_int_equal(plan(&f, &e), 0);
    name = planned_op(f.plan, OP_KIND_INSTANCE_NAME, "sleeper-1");
    assert_non_null(name);
    assert_string_equal(name->object, node_get_text(c, "Id"));
    assert_string_equal(name->rename_to, "demo-sleeper-1");
    assert_null(planned_op(f.plan, OP_KIND_INSTANCE_CREATE, "sleeper-1"));
    node_set_text(c, "State", "exited");
    assert_int_equal(plan(&f, &e), 0);
    assert_true(planned_after(f.plan, planned_op(f.plan, OP_KIND_INSTANCE_START, "sleeper-1"),
                              planned_op(f.plan, OP_KIND_INSTANCE_NAME, "sleeper-1")));
    node_set_text(node_get(c, "Labels"), LABEL_HASH, "old");
    assert_int_equal(plan(&f, &e), 0);
    assert_true(planned_after(f.plan, planned_op(f.plan, OP_KIND_INSTANCE_STOP, "sleeper-1"),
                              planned_op(f.plan, OP_KIND_INSTANCE_NAME, "sleeper-1")));
    planned_clear(&f);
}

static void nothing_is_started_on_data_that_another_container_writes_to(void **state)
{
    struct planned f = {0};
    struct node *c, *mount;
    struct err e;

    (void)state;
    planned_run(&f);
    c = node_add(f.observed->others, node_new_map());
    node_add_text(node_set(c, "Names", node_new_list()), "/writer");
    node_set_text(c, "State", "running");
    mount = node_add(node_set(c, "Mounts", node_new_list()), node_new_map());
    node_set_text(mount, "Name", "demo-sleeper-1-data");
    node_set_bool(mount, "RW", true);
    assert_int_equal(plan(&f, &e), 0); /* the instance runs already */
    node_set_text(seen(&f, "sleeper-1"), "State", "exited");
    assert_int_equal(plan(&f, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_non_null(strstr(e.msg, "container writer uses volume demo-sleeper-1-data"));
    node_set_bool(mount, "RW", false);
    assert_int_equal(plan(&f, &e), 0);
    node_set_bool(mount, "RW", true);
    node_set_text(c, "State", "exited");
    assert_int_equal(plan(&f, &e), 0);
    planned_clear(&f);
}

static void a_copy_is_named_and_a_copy_on_the_data_is_refused(void **state)
{
    struct planned f = {0};
    struct node *c;
    struct err e;

    (void)state;
    planned_run(&f);
    c = container(f.observed->strays, "/copy", "copy:1", "copy");
    assert_int_equal(plan(&f, &e), 0);
    assert_int_equal(f.plan->strays.count, 1);
    assert_non_null(strstr(f.plan->strays.items[0], "container copy carries the labels of x-1"));
    c = node_add(node_set(c, "Mounts", node_new_list()), node_new_map());
    node_set_text(c, "Name", "demo-sleeper-1-data");
    assert_int_equal(plan(&f, &e), -1);
    assert_non_null(strstr(e.msg, "container copy uses volume demo-sleeper-1-data"));
    planned_clear(&f);
}

static void a_volume_goes_by_its_name_or_because_it_was_made(void **state)
{
    static const struct {
        const char *name;
        bool goes;
    } rows[] = {
        {"demo-x-1-data", true},        {"demo-x-1-data2", true}, {"demo-x-1-data-backup", false},
        {"backup-of-demo-x-1", false},  {"demo-x-2-data", false}, {"made", true},
        {"demo-x-1-data2-copy", false},
    };
    auto_strv struct strv made = {0};
    struct plan_down_opts all = {.volumes = true, .made = &made};
    struct env_key key = {0};

    (void)state;
    memcpy(key.uuid, UUID, sizeof(UUID));
    strv_add(&made, "made");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct observed *w = planned_nothing_there();
        struct node *v = node_add(w->volumes, node_new_map());
        struct node *labels = node_set(v, "Labels", node_new_map());
        struct plan *p = NULL;
        struct err e;

        node_set_text(v, "Name", rows[i].name);
        node_set_text(labels, LABEL_ENV, UUID);
        node_set_text(labels, LABEL_NAME, "demo");
        node_set_text(labels, LABEL_INSTANCE, "x-1");
        assert_int_equal(plan_down(&p, "demo", &key, w, &all, &e), 0);
        assert_int_equal(p->count, rows[i].goes);
        assert_int_equal(p->strays.count, !rows[i].goes);
        plan_free(p);
        observed_free(w);
    }
}

static void what_is_not_a_time_of_dockers_is_none(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:12Z", 12000},
        {"1970-01-01T00:00:12.123456789Z", 12123},
        {"1970-01-01T00:00:12.2e999Z", 12000},
        {"1970-01-01T00:00:12.nanZ", 12000},
        {"0001-01-01T00:00:00Z", 0},
        {"soon", 0},
        {"", 0},
        {NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(object_time_ms(rows[i].text), rows[i].ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_container_is_an_instances_by_label_name_and_image),
        cmocka_unit_test(one_that_was_renamed_gives_way_to_one_with_the_name),
        cmocka_unit_test(a_renamed_container_gets_its_name_back_before_anything_else),
        cmocka_unit_test(nothing_is_started_on_data_that_another_container_writes_to),
        cmocka_unit_test(a_copy_is_named_and_a_copy_on_the_data_is_refused),
        cmocka_unit_test(a_volume_goes_by_its_name_or_because_it_was_made),
        cmocka_unit_test(what_is_not_a_time_of_dockers_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

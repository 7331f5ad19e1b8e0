/* SPDX-License-Identifier: MIT */
// fake: planned
/* A plan for one instance: what it needs to be there and to run, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake/planned.h"
#include "plan/object.h"

static void make(struct planned *f, const char *only, bool restart)
{
    const struct plan_opts o = {
        .catalog_version = "v", .locked = true, .only = only, .restart = restart};
    const struct desired_opts wish = {.spec = f->spec,
                                      .key = &f->key,
                                      .folder = "/nowhere/demo",
                                      .images = f->images,
                                      .observed = f->observed};
    struct err e;

    planned_forget(f);
    if (desired_build(&f->desired, &wish, &e) < 0 ||
        plan_up(&f->plan, f->desired, f->observed, &o, &e) < 0)
        fail_msg("%s", e.msg);
}

static struct node *container(const struct planned *f, const char *instance)
{
    for (size_t i = 0; i < f->observed->containers->count; i++) {
        struct node *c = f->observed->containers->items[i];

        if (strcmp(object_label(c, LABEL_INSTANCE), instance) == 0)
            return c;
    }
    fail_msg("there is no container of %s", instance);
    return NULL;
}

static void remove_container(struct planned *f, const char *instance)
{
    struct node *left = node_new_list();

    for (size_t i = 0; i < f->observed->containers->count; i++) {
        struct node *c = f->observed->containers->items[i];

        if (strcmp(object_label(c, LABEL_INSTANCE), instance) != 0)
            node_add(left, node_copy(c));
    }
    node_free(f->observed->containers);
    f->observed->containers = left;
}

static void one_that_died_is_started_and_others_are_not_looked_at(void **state)
{
    struct planned f = {0};

    (void)state;
    planned_run(&f);
    node_set_text(container(&f, "sleeper-1"), "State", "exited");
    node_set_text(container(&f, "sleeper-2"), "State", "exited");
    make(&f, "sleeper-1", false);
    assert_int_equal(f.plan->count, 2);
    assert_true(planned_after(f.plan, planned_op(f.plan, OP_KIND_INSTANCE_START, "sleeper-1"),
                              planned_op(f.plan, OP_KIND_LINK_PUT, "sleeper-1")));
    planned_clear(&f);
}

static void one_that_was_removed_is_made_with_its_data_or_asks_for_it(void **state)
{
    struct planned f = {0};

    (void)state;
    planned_run(&f);
    remove_container(&f, "sleeper-1");
    make(&f, "sleeper-1", false);
    assert_non_null(planned_op(f.plan, OP_KIND_INSTANCE_CREATE, "sleeper-1"));
    assert_non_null(planned_op(f.plan, OP_KIND_LINK_SEND, "sleeper-1"));
    assert_int_equal(f.plan->count, 3);
    node_free(f.observed->volumes);
    f.observed->volumes = node_new_list();
    make(&f, "sleeper-1", false);
    assert_non_null(planned_op(f.plan, OP_KIND_VOLUME_CREATE, "demo-sleeper-1-data"));
    assert_int_equal(f.plan->count, 4);
    planned_clear(&f);
}

/* What the document says by now is the business of `up`. */
static void one_that_should_be_another_stays_and_no_key_is_written(void **state)
{
    struct planned f = {0};

    (void)state;
    planned_run(&f);
    node_set_text(node_get(container(&f, "sleeper-1"), "Labels"), LABEL_HASH, "of another");
    etcd_kvs_clear(&f.observed->keys);
    make(&f, "sleeper-1", false);
    assert_null(planned_op(f.plan, OP_KIND_INSTANCE_STOP, "sleeper-1"));
    for (size_t i = 0; i < f.plan->count; i++)
        assert_int_equal(f.plan->ops[i].kind, OP_KIND_LINK_PUT); /* it has not reported */
    planned_clear(&f);
}

/* A newer program has other images, and a newer document more volumes, until `up` has run. */
static void one_that_is_only_started_needs_neither_image_nor_volume(void **state)
{
    struct planned f = {0};

    (void)state;
    planned_run(&f);
    strv_clear(&f.observed->images);
    node_free(f.observed->volumes);
    f.observed->volumes = node_new_list();
    node_set_text(container(&f, "sleeper-1"), "State", "exited");
    make(&f, "sleeper-1", false);
    assert_non_null(planned_op(f.plan, OP_KIND_INSTANCE_START, "sleeper-1"));
    assert_int_equal(f.plan->count, 2);
    remove_container(&f, "sleeper-1");
    make(&f, "sleeper-1", false);
    assert_non_null(planned_op(f.plan, OP_KIND_IMAGE_BUILD, "sleeper"));
    assert_non_null(planned_op(f.plan, OP_KIND_VOLUME_CREATE, "demo-sleeper-1-data"));
    planned_clear(&f);
}

static void a_restart_is_a_stop_and_a_start(void **state)
{
    struct planned f = {0};

    (void)state;
    planned_run(&f);
    make(&f, "sleeper-1", true);
    assert_true(planned_after(f.plan, planned_op(f.plan, OP_KIND_INSTANCE_START, "sleeper-1"),
                              planned_op(f.plan, OP_KIND_INSTANCE_STOP, "sleeper-1")));
    assert_int_equal(f.plan->count, 3);
    assert_null(planned_op(f.plan, OP_KIND_INSTANCE_STOP, "sleeper-2"));
    planned_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_died_is_started_and_others_are_not_looked_at),
        cmocka_unit_test(one_that_was_removed_is_made_with_its_data_or_asks_for_it),
        cmocka_unit_test(one_that_should_be_another_stays_and_no_key_is_written),
        cmocka_unit_test(one_that_is_only_started_needs_neither_image_nor_volume),
        cmocka_unit_test(a_restart_is_a_stop_and_a_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

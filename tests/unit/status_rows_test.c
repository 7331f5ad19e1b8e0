/* SPDX-License-Identifier: MIT */
/* The rows of status: which instances there are. */
// fake: planned
#include "env/status.h"

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

#define DOCUMENT                                                                                   \
    "name: demo\nnetwork: {subnet: 10.90.1.0/24}\n"                                                \
    "components:\n  etcd: {instances: 1}\n  sleeper: {instances: 11}\n"

/* "NAME STATE, NAME STATE": of the container. Owned. */
static char *rows_text(const struct observed *w)
{
    auto_node struct node *rows = status_instances(w, "demo");
    auto_strv struct strv lines = {0};
    const struct node *row;

    node_for_each (row, rows) {
        strv_addf(&lines, "%s %s", node_get_text(row, "instance"), node_get_text(row, "container"));
    }
    return strv_join(&lines, ", ");
}

static void take_container(struct node *containers, const char *instance)
{
    for (size_t i = 0; i < containers->count; i++) {
        const char *name = object_label(containers->items[i], LABEL_INSTANCE);

        if (!name || strcmp(name, instance) != 0)
            continue;
        node_free(containers->items[i]);
        containers->items[i] = containers->items[--containers->count];
        return;
    }
    fail();
}

static void each_instance_has_one_row_in_the_order_of_names(void **state)
{
    struct planned f = {0};
    auto_free char *text = NULL;

    (void)state;
    planned_load(&f, DOCUMENT);
    planned_make(&f);
    planned_bring_about(&f);
    planned_set_aside(&f);                               /* sleeper-1 has two containers */
    take_container(f.observed->containers, "sleeper-5"); /* and sleeper-5 none */
    text = rows_text(f.observed);
    assert_string_equal(text,
                        "etcd-1 running, sleeper-1 running, sleeper-2 running, sleeper-3 running, "
                        "sleeper-4 running, sleeper-5 missing, sleeper-6 running, "
                        "sleeper-7 running, sleeper-8 running, sleeper-9 running, "
                        "sleeper-10 running, sleeper-11 running");
    planned_clear(&f);
}

static void one_of_which_only_the_container_set_aside_is_left_is_missing(void **state)
{
    struct planned f = {0};
    auto_free char *text = NULL;

    (void)state;
    planned_run(&f);
    planned_set_aside(&f);
    take_container(f.observed->containers, "sleeper-1");
    text = rows_text(f.observed);
    assert_string_equal(text, "etcd-1 running, sleeper-1 missing, sleeper-2 running");
    planned_clear(&f);
}

static void one_that_neither_docker_nor_etcd_knows_has_none(void **state)
{
    struct planned f = {0};
    auto_free char *text = NULL;

    (void)state;
    planned_run(&f);
    take_container(f.observed->containers, "sleeper-2");
    etcd_kvs_clear(&f.observed->keys);
    text = rows_text(f.observed);
    assert_string_equal(text, "etcd-1 running, sleeper-1 running");
    planned_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_instance_has_one_row_in_the_order_of_names),
        cmocka_unit_test(one_of_which_only_the_container_set_aside_is_left_is_missing),
        cmocka_unit_test(one_that_neither_docker_nor_etcd_knows_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

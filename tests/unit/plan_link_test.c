/* SPDX-License-Identifier: MIT */
// fake: planned
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake/planned.h"
#include "plan/connect.h"

static void a_new_container_gets_its_link_when_it_runs_and_etcds_own_before(void **state)
{
    struct planned f = {0};

    (void)state;
    planned_load(&f, PLANNED_DOCUMENT);
    planned_make(&f);
    assert_true(planned_after(f.plan, planned_op(f.plan, OP_KIND_LINK_SEND, "sleeper-1"),
                              planned_op(f.plan, OP_KIND_INSTANCE_START, "sleeper-1")));
    assert_true(planned_after(f.plan, planned_op(f.plan, OP_KIND_INSTANCE_WAIT, "sleeper-1"),
                              planned_op(f.plan, OP_KIND_LINK_SEND, "sleeper-1")));
    assert_null(planned_op(f.plan, OP_KIND_LINK_PUT, "sleeper-1"));
    assert_null(planned_op(f.plan, OP_KIND_LINK_SEND, "etcd-1"));
    assert_true(planned_after(f.plan, planned_op(f.plan, OP_KIND_INSTANCE_START, "etcd-1"),
                              planned_op(f.plan, OP_KIND_LINK_PUT, "etcd-1")));
    planned_clear(&f);
}

static void a_running_container_that_never_reported_gets_its_link_again(void **state)
{
    struct planned f = {0};

    (void)state;
    planned_run(&f);
    planned_forget(&f);
    for (size_t i = 0; i < f.world->keys.count; i++) {
        struct etcd_kv *kv = &f.world->keys.items[i];

        if (strstr(kv->key, "sleeper-1/applied"))
            kv->value[0] = '\0';
    }
    planned_make(&f);
    assert_true(planned_after(f.plan, planned_op(f.plan, OP_KIND_INSTANCE_WAIT, "sleeper-1"),
                              planned_op(f.plan, OP_KIND_LINK_PUT, "sleeper-1")));
    assert_null(planned_op(f.plan, OP_KIND_INSTANCE_START, "sleeper-1"));
    assert_null(planned_op(f.plan, OP_KIND_LINK_PUT, "sleeper-2"));
    planned_clear(&f);
}

static void the_successor_of_one_still_aside_is_waited_for_before_that_goes(void **state)
{
    struct planned f = {0};
    const struct op *wait, *remove;

    (void)state;
    planned_run(&f);
    planned_set_aside(&f);
    planned_forget(&f);
    planned_make(&f);
    wait = planned_op(f.plan, OP_KIND_INSTANCE_WAIT, "sleeper-1");
    remove = planned_op(f.plan, OP_KIND_INSTANCE_REMOVE, "sleeper-1");
    assert_non_null(wait);
    assert_true(wait->replaces);
    assert_non_null(remove);
    assert_true(planned_after(f.plan, remove, wait));
    assert_true(planned_after(f.plan, wait, planned_op(f.plan, OP_KIND_LINK_PUT, "sleeper-1")));
    planned_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_container_gets_its_link_when_it_runs_and_etcds_own_before),
        cmocka_unit_test(a_running_container_that_never_reported_gets_its_link_again),
        cmocka_unit_test(the_successor_of_one_still_aside_is_waited_for_before_that_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

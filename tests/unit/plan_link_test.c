/* SPDX-License-Identifier: MIT */
// fake: planned
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake/planned.h"
#include "plan/plan_up.h"

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
    for (size_t i = 0; i < f.observed->keys.count; i++) {
        struct etcd_kv *kv = &f.observed->keys.items[i];

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

/* What Docker's list says of sleeper-1, and how long before it the agent's word is from. */
static bool gets_link(const char *state, const char *status, int64_t before_ms)
{
    struct planned f = {0};
    struct node *c = NULL;
    bool gets;

    planned_run(&f);
    planned_forget(&f);
    f.observed->listed_ms = 1000000000;
    for (size_t i = 0; i < f.observed->containers->count; i++)
        if (builder_by_name(f.observed->containers, "demo-sleeper-1") ==
            f.observed->containers->items[i])
            c = f.observed->containers->items[i];
    assert_non_null(c);
    node_set_text(c, "State", state);
    node_set_text(c, "Status", status);
    for (size_t i = 0; i < f.observed->keys.count; i++) {
        struct etcd_kv *kv = &f.observed->keys.items[i];

        if (!strstr(kv->key, "sleeper-1/status"))
            continue;
        free(kv->value);
        kv->value = mem_printf("{\"state\":\"ready\",\"health\":\"healthy\",\"since\":%lld}",
                               (long long)(f.observed->listed_ms - before_ms));
        kv->value_len = strlen(kv->value);
    }
    planned_make(&f);
    gets = planned_op(f.plan, OP_KIND_LINK_PUT, "sleeper-1") != NULL;
    assert_true(gets == (planned_op(f.plan, OP_KIND_INSTANCE_WAIT, "sleeper-1") != NULL));
    assert_null(planned_op(f.plan, OP_KIND_LINK_PUT, "sleeper-2"));
    planned_clear(&f);
    return gets;
}

static void the_word_of_the_run_before_is_not_believed(void **state)
{
    (void)state;
    assert_true(gets_link("running", "Up 3 seconds", 60000));
    assert_true(gets_link("running", "Up 3 seconds (healthy)", 6000));
    assert_true(gets_link("running", "Up 1 second", 4000));
    assert_true(gets_link("running", "Up Less than a second", 4000));
    assert_true(gets_link("restarting", "Restarting (6) 2 seconds ago", 1000));
    assert_false(gets_link("running", "Up 3 seconds", 2000));
    assert_false(gets_link("running", "Up 30 seconds", 31000));
    assert_false(gets_link("running", "Up About a minute", 10000000));
    assert_false(gets_link("running", "Up 3 hours", 60000));
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
        cmocka_unit_test(the_word_of_the_run_before_is_not_believed),
        cmocka_unit_test(the_successor_of_one_still_aside_is_waited_for_before_that_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

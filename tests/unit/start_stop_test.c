/* SPDX-License-Identifier: MIT */
// wrap: engine_clone engine_close engine_container_start engine_container_stop
// wrap: engine_container_restart engine_exec_run
#include "env/start_stop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "plan/object.h"
#include "plan/order.h"

static struct strv calls;
static const char *broken; /* the id that every call fails for */

static int call(const char *what, const char *id, struct err *e)
{
    strv_addf(&calls, "%s %s", what, id);
    return broken && strcmp(broken, id) == 0 ? err_set(e, ERR_REMOTE, "it is broken") : 0;
}

int __wrap_engine_clone(struct engine **out, const struct engine *from, struct err *e);
int __wrap_engine_clone(struct engine **out, const struct engine *from, struct err *e)
{
    (void)from;
    (void)e;
    *out = NULL;
    return 0;
}

void __wrap_engine_close(struct engine *g);
void __wrap_engine_close(struct engine *g)
{
    (void)g;
}

int __wrap_engine_container_start(struct engine *g, const char *id, struct err *e);
int __wrap_engine_container_start(struct engine *g, const char *id, struct err *e)
{
    (void)g;
    return call("start", id, e);
}

int __wrap_engine_container_stop(struct engine *g, const char *id, int grace_s, struct err *e);
int __wrap_engine_container_stop(struct engine *g, const char *id, int grace_s, struct err *e)
{
    (void)g;
    (void)grace_s;
    return call("stop", id, e);
}

int __wrap_engine_container_restart(struct engine *g, const char *id, int grace_s, struct err *e);
int __wrap_engine_container_restart(struct engine *g, const char *id, int grace_s, struct err *e)
{
    (void)g;
    (void)grace_s;
    return call("restart", id, e);
}

int __wrap_engine_exec_run(int *status, struct engine *g, const char *id,
                           const struct engine_exec *x, struct err *e);
int __wrap_engine_exec_run(int *status, struct engine *g, const char *id,
                           const struct engine_exec *x, struct err *e)
{
    (void)g;
    (void)x;
    *status = 0;
    return call("ready", id, e);
}

/* disk requires brain requires etcd; door requires brain and waits for it by itself. */
struct small {
    struct manifest brain, disk, door;
    struct manifest *items[3];
    struct catalog catalog;
};

static void small_init(struct small *s)
{
    *s = (struct small){0};
    s->brain.name = mem_strdup("brain");
    s->disk.name = mem_strdup("disk");
    s->door.name = mem_strdup("door");
    s->door.early = true;
    strv_add(&s->brain.requires, "etcd");
    strv_add(&s->disk.requires, "brain");
    strv_add(&s->door.requires, "brain");
    s->items[0] = &s->brain;
    s->items[1] = &s->disk;
    s->items[2] = &s->door;
    s->catalog = (struct catalog){.items = s->items, .count = 3};
}

static void small_clear(struct small *s)
{
    for (size_t i = 0; i < s->catalog.count; i++) {
        free(s->items[i]->name);
        strv_clear(&s->items[i]->requires);
    }
}

static void add(struct node *list, const char *name, const char *component)
{
    struct node *c = node_add(list, node_new_map());
    struct node *labels = node_set(c, "Labels", node_new_map());

    node_set_text(c, "Id", component);
    node_set_text(c, "State", "running");
    node_set_text(labels, LABEL_INSTANCE, name);
    node_set_text(labels, LABEL_COMPONENT, component);
}

/* The calls, and at the end the error. */
static char *run(struct start_stop_opts o, bool with_catalog)
{
    auto_node struct node *list = node_new_list();
    struct small s;
    struct env env = {.name = "demo", .containers = list};
    const struct start_stop_events none = {0};
    auto_strv struct strv names = {0};
    char *text;
    struct err e;

    small_init(&s);
    if (with_catalog)
        env.catalog = &s.catalog;
    add(list, "disk-1", "disk");
    add(list, "brain-1", "brain");
    add(list, "etcd-1", "etcd");
    for (size_t i = 0; i < list->count; i++)
        strv_add(&names, object_label(list->items[i], LABEL_INSTANCE));
    strv_clear(&calls);
    if (start_stop_run(&env, &names, &o, &none, &e) < 0)
        strv_add(&calls, e.msg);
    text = strv_join(&calls, ", ");
    small_clear(&s);
    return text;
}

static void what_is_required_starts_first_and_is_ready(void **state)
{
    auto_free char *got = run((struct start_stop_opts){.verb = START_STOP_START}, true);

    (void)state;
    assert_string_equal(got,
                        "start etcd, ready etcd, start brain, ready brain, start disk, ready disk");
}

static void without_waiting_the_order_is_the_same(void **state)
{
    auto_free char *got =
        run((struct start_stop_opts){.verb = START_STOP_START, .no_wait = true}, true);

    (void)state;
    assert_string_equal(got, "start etcd, start brain, start disk");
}

static void what_is_required_stops_last(void **state)
{
    auto_free char *got =
        run((struct start_stop_opts){.verb = START_STOP_STOP, .force = true}, true);

    (void)state;
    assert_string_equal(got, "stop disk, stop brain, stop etcd");
}

static void what_one_that_did_not_stop_needs_runs_on(void **state)
{
    auto_free char *got = NULL;

    (void)state;
    broken = "disk";
    got = run((struct start_stop_opts){.verb = START_STOP_STOP, .force = true}, true);
    broken = NULL;
    assert_string_equal(got, "stop disk, 3 of 3 instances failed, first: disk-1: it is broken");
}

static void restarts_come_one_by_one(void **state)
{
    auto_free char *got =
        run((struct start_stop_opts){.verb = START_STOP_RESTART, .force = true}, true);

    (void)state;
    assert_string_equal(
        got, "restart etcd, ready etcd, restart brain, ready brain, restart disk, ready disk");
}

static void without_a_catalog_etcd_is_needed_all_the_same(void **state)
{
    assert_int_equal(order_depth(NULL, "etcd", false), 0);
    assert_int_equal(order_depth(NULL, "brain", false), 1);
    (void)state;
}

static void one_that_waits_by_itself_starts_early_and_stops_in_order(void **state)
{
    struct small s;

    (void)state;
    small_init(&s);
    assert_int_equal(order_depth(&s.catalog, "door", true), 1);
    assert_int_equal(order_depth(&s.catalog, "door", false), 2);
    assert_int_equal(order_depth(&s.catalog, "disk", true), 2);
    small_clear(&s);
}

static int clear(void **state)
{
    (void)state;
    strv_clear(&calls);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_required_starts_first_and_is_ready),
        cmocka_unit_test(without_waiting_the_order_is_the_same),
        cmocka_unit_test(what_is_required_stops_last),
        cmocka_unit_test(what_one_that_did_not_stop_needs_runs_on),
        cmocka_unit_test(restarts_come_one_by_one),
        cmocka_unit_test(without_a_catalog_etcd_is_needed_all_the_same),
        cmocka_unit_test(one_that_waits_by_itself_starts_early_and_stops_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, clear);
}

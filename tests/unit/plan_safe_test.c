/* SPDX-License-Identifier: MIT */
/* What a plan does not do, because data or the service would go with it. */
// fake: planned
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake/planned.h"
#include "plan/object.h"
#include "plan/plan.h"

/* No operation comes, through others, after itself. */
static bool has_circle(const struct plan *p)
{
    auto_free bool *done = mem_array(p->count + 1, sizeof(*done));
    size_t left = p->count, before = 0;

    memset(done, 0, p->count * sizeof(*done));
    while (left != before) {
        before = left;
        for (size_t i = 0; i < p->count; i++) {
            bool is_free = !done[i];

            for (size_t k = 0; is_free && k < p->ops[i].dep_count; k++)
                is_free = done[p->ops[i].deps[k]];
            done[i] = done[i] || is_free;
            left -= is_free;
        }
    }
    return left > 0;
}

static void a_member_that_is_down_is_back_before_another_one_is_replaced(void **state)
{
    static const struct {
        const char *down[2];                          /* etcd-N */
        const char *replaced_before, *replaced_after; /* the stop of one comes after the wait for */
    } rows[] = {
        {{NULL, NULL}, "etcd-1", "etcd-2"},
        {{"demo-etcd-3", NULL}, "etcd-3", "etcd-1"},
        {{"demo-etcd-2", "demo-etcd-3"}, "etcd-3", "etcd-1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct planned f = {0};

        planned_load(&f, "name: demo\ncomponents:\n  etcd: {instances: 3}\n");
        planned_make(&f);
        planned_bring_about(&f);
        planned_forget(&f);
        for (size_t k = 0; k < f.observed->containers->count; k++) {
            struct node *c = f.observed->containers->items[k];

            for (int d = 0; d < 2; d++)
                if (rows[i].down[d] && strcmp(node_get_text(c, "Id"), rows[i].down[d]) == 0)
                    node_set_text(c, "State", "exited");
        }
        node_set_text(f.images, "etcd", "slipway/etcd:2");
        planned_make(&f);
        assert_false(has_circle(f.plan));
        assert_true(
            planned_after(f.plan, planned_op(f.plan, OP_KIND_INSTANCE_STOP, rows[i].replaced_after),
                          planned_op(f.plan, OP_KIND_INSTANCE_WAIT, rows[i].replaced_before)));
        planned_clear(&f);
    }
}

static void an_instance_that_pools_need_cannot_leave(void **state)
{
    static const struct {
        const char *pool;
        bool refused;
    } rows[] = {
        {"{size: 2}", true},
        {"{size: 1}", false},
        {"{size: 2, absent: true}", false},
        {"{kind: erasure, k: 1, m: 1}", true},
        {"{kind: erasure, policies: [2+1, \"1+0\"]}", false},
        {"{kind: erasure, policies: [2+1, \"1+1 x=1\"]}", true},
        {"{}", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plan_opts o = {.catalog_version = "v"};
        struct planned f = {0};
        struct err e = {0};

        for (int osds = 2; osds > 0; osds--) {
            auto_free char *document =
                mem_printf("name: demo\ncomponents:\n  etcd: {}\n  ceph-mon: {}\n"
                           "  ceph-mgr: {config: {pools: {p: %s}}}\n  ceph-osd: {instances: %d}\n",
                           rows[i].pool, osds);
            struct observed *w = steal(f.observed);

            planned_clear(&f);
            f = (struct planned){0};
            planned_load(&f, document);
            for (size_t k = 0; k < 4; k++)
                node_set_text(f.images, f.spec->components[k].manifest->name, "slipway/x:1");
            if (w) {
                observed_free(f.observed);
                f.observed = w;
            } else {
                planned_make(&f);
                planned_bring_about(&f);
            }
        }
        const struct desired_opts wish = {.spec = f.spec,
                                          .key = &f.key,
                                          .folder = "/nowhere/demo",
                                          .images = f.images,
                                          .observed = f.observed};
        assert_int_equal(desired_build(&f.desired, &wish, &e), 0);
        assert_int_equal(plan_up(&f.plan, f.desired, f.observed, &o, &e), rows[i].refused ? -1 : 0);
        if (rows[i].refused)
            assert_non_null(
                strstr(e.msg, "ceph-osd-2 cannot leave: 1 ceph-osd left, pool p needs 2"));
        planned_clear(&f);
    }
}

static void a_volume_more_is_a_folder_more_and_one_fewer_is_refused(void **state)
{
    static const char DOCUMENT[] = "name: demo\ncomponents:\n  etcd: {}\n  ceph-mon: {}\n"
                                   "  ceph-osd: {instances: 1, volumes: %d}\n";
    struct observed *w = NULL;

    (void)state;
    for (int volumes = 1; volumes <= 3; volumes++) {
        int count = volumes == 3 ? 1 : volumes; /* 1, 2, 1 */
        auto_free char *document = mem_printf(DOCUMENT, count);
        struct planned f = {0};
        struct plan_opts o = {.catalog_version = "v"};
        struct err e = {0};

        planned_load(&f, document);
        for (size_t k = 0; k < f.spec->component_count; k++)
            node_set_text(f.images, f.spec->components[k].manifest->name, "slipway/x:1");
        if (w) {
            observed_free(f.observed);
            f.observed = w;
        }
        const struct desired_opts wish = {.spec = f.spec,
                                          .key = &f.key,
                                          .folder = "/nowhere/demo",
                                          .images = f.images,
                                          .observed = f.observed};
        assert_int_equal(desired_build(&f.desired, &wish, &e), 0);
        const struct node *mounts =
            node_find(f.desired->items[f.desired->count - 1].body, "HostConfig.Mounts");
        assert_string_equal(node_get_text(mounts->items[0], "Target"), "/data");
        if (count == 2)
            assert_string_equal(node_get_text(mounts->items[1], "Target"), "/data/2");
        assert_int_equal(plan_up(&f.plan, f.desired, f.observed, &o, &e), volumes == 3 ? -1 : 0);
        if (volumes == 3)
            assert_non_null(strstr(e.msg, "ceph-osd-1 has data in volume demo-ceph-osd-1-data2"));
        else
            planned_bring_about(&f);
        w = steal(f.observed);
        planned_clear(&f);
    }
    observed_free(w);
}

/* ---- the places of data volumes ---- */

/* What is left of an environment that had the volumes [va, vb] when another order is planned. */
enum left {
    LEFT_CONTAINER = 1,
    LEFT_LABELS = 2,   /* of the volumes; those that somebody made by hand have none */
    LEFT_ETCD = 4,     /* it has the document in force */
    LEFT_DOCUMENT = 8, /* the operator's copy of it */
};

static void load_osd(struct planned *f, const char *volumes)
{
    auto_free char *document =
        mem_printf("name: demo\ncomponents:\n  etcd: {}\n  ceph-mon: {}\n  ceph-osd: {instances: "
                   "1, overrides: {ceph-osd-1: {volumes: %s}}}\n",
                   volumes);

    planned_load(f, document);
    for (size_t k = 0; k < f->spec->component_count; k++)
        node_set_text(f->images, f->spec->components[k].manifest->name, "slipway/x:1");
}

static void strip(struct observed *w, unsigned left)
{
    for (size_t i = 0; !(left & LEFT_LABELS) && i < w->volumes->count; i++)
        node_remove(node_get(w->volumes->items[i], "Labels"), LABEL_PLACE);
    if (!(left & LEFT_CONTAINER)) {
        node_free(w->containers);
        w->containers = node_new_list();
    }
    if (!(left & LEFT_ETCD)) {
        etcd_kvs_clear(&w->keys);
        w->etcd_expected = w->etcd_answers = false;
    }
}

/* Plans `volumes` over an environment that was made with `made`. */
static int replan(struct planned *f, const char *made, const char *volumes, unsigned left,
                  struct err *e)
{
    struct plan_opts o = {.catalog_version = "v"};
    auto_node struct node *document = NULL;
    struct observed *w;

    load_osd(f, made);
    planned_make(f);
    planned_bring_about(f);
    document = node_copy(f->spec->document);
    w = steal(f->observed);
    planned_clear(f);
    *f = (struct planned){0};
    load_osd(f, volumes);
    observed_free(f->observed);
    f->observed = w;
    strip(w, left);
    o.document = left & LEFT_DOCUMENT ? document : NULL;
    const struct desired_opts wish = {.spec = f->spec,
                                      .key = &f->key,
                                      .folder = "/nowhere/demo",
                                      .images = f->images,
                                      .observed = f->observed};
    assert_int_equal(desired_build(&f->desired, &wish, e), 0);
    return plan_up(&f->plan, f->desired, f->observed, &o, e);
}

/* Docker refuses a volume with any other. */
static void every_label_of_a_volume_is_a_text(void **state)
{
    auto_node struct node *body = NULL;
    struct planned f = {0};
    const struct node *label;

    (void)state;
    load_osd(&f, "[va, vb]");
    planned_make(&f);
    body = desired_volume_body(f.desired, desired_find(f.desired, "ceph-osd-1"), 1);
    node_for_each (label, node_get(body, "Labels")) {
        assert_int_equal(label->kind, NODE_KIND_STRING);
    }
    assert_string_equal(object_label(body, LABEL_PLACE), "2");
    planned_clear(&f);
}

static void a_data_volume_never_changes_its_place(void **state)
{
    static const unsigned known[] = {LEFT_CONTAINER, LEFT_LABELS, LEFT_ETCD, LEFT_DOCUMENT};
    static const struct {
        const char *made, *now, *wrong; /* NULL: it is fine */
    } rows[] = {
        {"[va, vb]", "[va, vb]", NULL},
        {"[va, vb]", "[vb, va]",
         "volume vb is number 2 of the volumes of ceph-osd-1, at /data/2, and the document has it "
         "as number 1, at /data"},
        {"[va, vb]", "[vb]", "volume vb is number 2"},
        {"[va, vb]", "[vc, va]", "volume va is number 1"},
        {"[va, vb]", "[va, vc]", NULL},
        {"[va, vb]", "[vc, vb]", NULL},
        {"[va, vb]", "[va]", NULL},
        {"[va]", "[va, vb]", NULL},
        {"[demo-ceph-osd-1-data]", "[demo-ceph-osd-1-data, demo-ceph-osd-1-data2]", NULL},
        {"[demo-ceph-osd-1-data2, demo-ceph-osd-1-data]",
         "[demo-ceph-osd-1-data2, demo-ceph-osd-1-data]", NULL},
        {"[demo-ceph-osd-1-data, demo-ceph-osd-1-data2]",
         "[demo-ceph-osd-1-data2, demo-ceph-osd-1-data]",
         "volume demo-ceph-osd-1-data2 is number 2"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t k = 0; k < ARRAY_LEN(known); k++) {
            struct planned f = {0};
            struct err e = {0};

            assert_int_equal(replan(&f, rows[i].made, rows[i].now, known[k], &e),
                             rows[i].wrong ? -1 : 0);
            if (rows[i].wrong)
                assert_non_null(strstr(e.msg, rows[i].wrong));
            planned_clear(&f);
        }
}

/* ---- what has the place of data that is gone ---- */

static void drop(struct node *list, const char *key, const char *value)
{
    for (size_t i = list->count; i-- > 0;)
        if (node_text_is(list->items[i], key, value)) {
            node_free(list->items[i]);
            memmove(&list->items[i], &list->items[i + 1],
                    (--list->count - i) * sizeof(*list->items));
        }
}

enum seen { SEEN_CONTAINER = 1, SEEN_LABELS = 2, SEEN_VOLUME = 4, SEEN_REPORT = 8 };

/* Plans sleeper-1 with the volume `name`, of which it had one, over what is seen of it still. */
static int plan_over(struct planned *f, const char *name, bool made, unsigned seen, struct err *e)
{
    auto_strv struct strv names = {0};
    auto_free char *document =
        mem_printf("name: demo\ncomponents:\n  etcd: {}\n  sleeper: {instances: 1, overrides: "
                   "{sleeper-1: {volumes: [%s]}}}\n",
                   name);
    struct plan_opts o = {.catalog_version = "v", .made = &names};
    const struct node *v;
    struct observed *w;

    if (made)
        strv_add(&names, name);
    planned_load(f, document);
    planned_make(f);
    planned_bring_about(f);
    w = f->observed;
    planned_forget(f);
    if (!(seen & SEEN_CONTAINER))
        drop(w->containers, "Id", "demo-sleeper-1");
    v = observed_named(w->volumes, name);
    if (!(seen & SEEN_LABELS))
        node_remove((struct node *)(uintptr_t)v, "Labels");
    if (!(seen & SEEN_VOLUME))
        drop(w->volumes, "Name", name);
    if (!(seen & SEEN_REPORT))
        etcd_kvs_clear(&w->keys);
    const struct desired_opts wish = {.spec = f->spec,
                                      .key = &f->key,
                                      .folder = "/nowhere/demo",
                                      .images = f->images,
                                      .observed = w};
    assert_int_equal(desired_build(&f->desired, &wish, e), 0);
    return plan_up(&f->plan, f->desired, w, &o, e);
}

static void nothing_begins_in_another_volume_than_the_one_that_was_made(void **state)
{
#define GONE                                                                                       \
    " is not the one that was made for sleeper-1, whose data is gone: it has none of its labels; " \
    "remove it with `docker volume rm "
    static const struct {
        const char *name;
        bool made;
        unsigned seen;
        const char *wrong; /* NULL: it is fine */
    } rows[] = {
        {"own", true, SEEN_VOLUME | SEEN_REPORT,
         "volume own" GONE "own`, or let sleeper-1 begin with what is in it: `slipway -e demo down "
         "--volume own`"},
        {"demo-sleeper-1-data", true, SEEN_VOLUME | SEEN_REPORT,
         "volume demo-sleeper-1-data" GONE "demo-sleeper-1-data`; what somebody put back into it "
         "belongs into a volume of another name, with `overrides: {sleeper-1: {volumes: [NAME]}}`"},
        {"demo-sleeper-1-database", true, SEEN_VOLUME | SEEN_REPORT,
         "volume demo-sleeper-1-database" GONE "demo-sleeper-1-database`, or let sleeper-1 begin "
         "with what is in it: `slipway -e demo down --volume demo-sleeper-1-database`"},
        {"own", false, SEEN_VOLUME | SEEN_REPORT, NULL}, /* its author's */
        {"own", true, SEEN_VOLUME | SEEN_LABELS | SEEN_REPORT, NULL},
        {"own", true, SEEN_VOLUME | SEEN_CONTAINER | SEEN_REPORT, NULL}, /* it goes on */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct planned f = {0};
        struct err e = {0};

        assert_int_equal(plan_over(&f, rows[i].name, rows[i].made, rows[i].seen, &e),
                         rows[i].wrong ? -1 : 0);
        if (rows[i].wrong)
            assert_string_equal(e.msg, rows[i].wrong);
        planned_clear(&f);
    }
}

static void a_plan_says_that_a_volume_had_data(void **state)
{
    static const struct {
        bool made;
        unsigned seen;
        const char *cause;
    } rows[] = {
        {true, SEEN_REPORT, "data of sleeper-1, which is gone: it begins empty"},
        {true, 0,
         "data of sleeper-1, which was made, or was about to be, and is not there: it begins "
         "empty"},
        {false, SEEN_REPORT, "data of sleeper-1, which is gone: it begins empty"},
        {false, 0, "data of sleeper-1, not there"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct planned f = {0};
        const struct op *op;
        struct err e = {0};

        assert_int_equal(plan_over(&f, "own", rows[i].made, rows[i].seen, &e), 0);
        op = planned_op(f.plan, OP_KIND_VOLUME_CREATE, "own");
        assert_non_null(op);
        assert_string_equal(op->cause, rows[i].cause);
        assert_int_equal(op->lost, rows[i].made || rows[i].seen);
        planned_clear(&f);
    }
}

/* Whoever names it for removal has decided; what has its place is somebody else's. */
static void another_volume_in_the_place_of_one_is_only_forgotten(void **state)
{
    auto_strv struct strv names = {0};
    struct plan_down_opts o = {.named = &names, .made = &names};
    const struct env_key key = {.uuid = "11111111-2222-8333-8444-555555555555"};

    (void)state;
    strv_add(&names, "own");
    for (int there = 0; there < 2; there++) {
        struct observed *w = planned_nothing_there();
        struct plan *p = NULL;
        struct err e;

        if (there)
            node_set_text(node_add(w->volumes, node_new_map()), "Name", "own");
        assert_int_equal(plan_down(&p, "demo", &key, w, &o, &e), 0);
        assert_int_equal(p->count, 1);
        assert_string_equal(p->ops[0].target, "own");
        assert_int_equal(!p->ops[0].object, there);
        plan_free(p);
        observed_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_that_is_down_is_back_before_another_one_is_replaced),
        cmocka_unit_test(an_instance_that_pools_need_cannot_leave),
        cmocka_unit_test(a_volume_more_is_a_folder_more_and_one_fewer_is_refused),
        cmocka_unit_test(every_label_of_a_volume_is_a_text),
        cmocka_unit_test(a_data_volume_never_changes_its_place),
        cmocka_unit_test(nothing_begins_in_another_volume_than_the_one_that_was_made),
        cmocka_unit_test(a_plan_says_that_a_volume_had_data),
        cmocka_unit_test(another_volume_in_the_place_of_one_is_only_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

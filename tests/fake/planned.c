/* SPDX-License-Identifier: MIT */
#include "fake/planned.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/yaml.h"
#include "model/keys.h"
#include "plan/object.h"

struct observed *planned_nothing_there(void)
{
    struct observed *w = mem_alloc(sizeof(*w));

    w->containers = node_new_list();
    w->strays = node_new_list();
    w->others = node_new_list();
    w->networks = node_new_list();
    w->volumes = node_new_list();
    return w;
}

void planned_load(struct planned *f, const char *document)
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
    node_set_text(f->images, "controller", "slipway/controller:1");
    f->observed = planned_nothing_there();
}

void planned_make(struct planned *f)
{
    struct plan_opts o = {.catalog_version = "v", .self = f->self};
    const struct desired_opts wish = {.spec = f->spec,
                                      .key = &f->key,
                                      .folder = "/nowhere/demo",
                                      .images = f->images,
                                      .observed = f->observed};
    struct err e;

    if (desired_build(&f->desired, &wish, &e) < 0)
        fail_msg("%s", e.msg);
    if (plan_up(&f->plan, f->desired, f->observed, &o, &e) < 0)
        fail_msg("%s", e.msg);
}

void planned_forget(struct planned *f)
{
    plan_free(f->plan);
    desired_free(f->desired);
    f->plan = NULL;
    f->desired = NULL;
}

void planned_clear(struct planned *f)
{
    planned_forget(f);
    observed_free(f->observed);
    node_free(f->images);
    spec_free(f->spec);
    catalog_free(f->catalog);
}

static void put_key(struct observed *w, const char *key, const char *value)
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

/* Of the mounts of a body an engine lists the volumes by their names. */
static struct node *mounts_of(const struct node *body)
{
    const struct node *mounts = node_find(body, "HostConfig.Mounts"), *m;
    struct node *list = node_new_list();

    node_for_each (m, mounts) {
        struct node *seen = node_add(list, node_new_map());

        if (node_text_is(m, "Type", "volume"))
            node_set_text(seen, "Name", node_get_text(m, "Source"));
        node_set_text(seen, "Destination", node_get_text(m, "Target"));
        node_set_bool(seen, "RW", true);
    }
    return list;
}

/* What an engine would list for a body. */
static void put_container(struct observed *w, const struct desired_instance *it, const char *state)
{
    struct node *c = node_add(w->containers, node_new_map());
    auto_free char *name = mem_printf("/%s", it->container);

    node_set_text(c, "Id", it->container);
    node_add_text(node_set(c, "Names", node_new_list()), name);
    node_set_text(c, "Image", it->image);
    node_set_text(c, "State", state);
    node_set(c, "Labels", node_copy(node_get(it->body, "Labels")));
    node_set(c, "Mounts", mounts_of(it->body));
}

void planned_bring_about(struct planned *f)
{
    struct observed *w = f->observed;
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

void planned_run(struct planned *f)
{
    planned_load(f, PLANNED_DOCUMENT);
    planned_make(f);
    planned_bring_about(f);
}

void planned_set_aside(struct planned *f)
{
    struct node *c =
        node_add(f->observed->containers, node_copy(f->observed->containers->items[1]));

    node_set_text(c, "State", "exited");
    node_add_text(node_set(c, "Names", node_new_list()), "/demo-sleeper-1" OBJECT_ASIDE);
}

const struct op *planned_op(const struct plan *p, enum op_kind kind, const char *target)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->ops[i].kind == kind && strcmp(p->ops[i].target, target) == 0)
            return &p->ops[i];
    return NULL;
}

bool planned_after(const struct plan *p, const struct op *a, const struct op *b)
{
    for (size_t i = 0; i < a->dep_count; i++)
        if (&p->ops[a->deps[i]] == b || planned_after(p, &p->ops[a->deps[i]], b))
            return true;
    return false;
}

/* SPDX-License-Identifier: MIT */
/* Part of plan_up: what is there and no longer wanted; and plan_down: everything goes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/keys.h"
#include "plan/object.h"
#include "plan/order.h"
#include "plan/plan_up.h"

/* One that never ran has nothing to move away. */
static bool is_drained(const struct node *c)
{
    return strcmp(observed_state(c), "created") != 0;
}

/* Drains, stops and removes one instance after everything that is wanted is well. One that is down
 * is started for it: its data may be the last copy. */
static long add_removal(struct builder *b, const struct node *c, const char *instance,
                        long previous)
{
    long op = previous, start = PLAN_NONE, drain = PLAN_NONE, stop = PLAN_NONE, removal, keys;

    if (is_drained(c) && !observed_runs(c)) {
        start = plan_add(b->p, OP_KIND_INSTANCE_START, instance,
                         mem_strdup("it is down, and its data is moved away first"));
        b->p->ops[start].object = mem_strdup(object_name(c));
        for (size_t i = 0; i < b->d->count; i++)
            plan_after(b->p, start, b->wait[i]);
        plan_after(b->p, start, b->lock);
        plan_after(b->p, start, op);
    }
    if (is_drained(c)) {
        drain = plan_add(b->p, OP_KIND_INSTANCE_DRAIN, instance,
                         mem_strdup("no longer in the environment document"));
        b->p->ops[drain].object = mem_strdup(object_name(c));
        for (size_t i = 0; i < b->d->count; i++)
            plan_after(b->p, drain, b->wait[i]);
        plan_after(b->p, drain, b->lock);
        plan_after(b->p, drain, start);
        plan_after(b->p, drain, op);
    }
    if (observed_runs(c) || start != PLAN_NONE) {
        stop = plan_add(b->p, OP_KIND_INSTANCE_STOP, instance, NULL);
        b->p->ops[stop].object = mem_strdup(object_name(c));
        plan_after(b->p, stop, drain);
        plan_after(b->p, stop, op);
    }
    removal = plan_add(b->p, OP_KIND_INSTANCE_REMOVE, instance,
                       mem_strdup("no longer in the environment document"));
    b->p->ops[removal].object = mem_strdup(object_name(c));
    plan_after(b->p, removal, stop);
    plan_after(b->p, removal, b->lock);
    keys = plan_add(b->p, OP_KIND_KEYS_REMOVE, instance, NULL);
    plan_after(b->p, keys, removal);
    plan_after(b->p, keys, b->etcd);
    return keys;
}

/* Keys of an instance whose container is already gone and that nobody wants. */
static void add_stale_instances(struct builder *b)
{
    auto_strv struct strv names = {0};

    keys_instances(&names, &b->w->keys);
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        long op;

        if (desired_find(b->d, name) || object_find_instance(b->w->containers, name))
            continue;
        op = plan_add(b->p, OP_KIND_KEYS_REMOVE, name, mem_strdup("its container is gone"));
        plan_after(b->p, op, b->lock);
        plan_after(b->p, op, b->etcd);
    }
}

void builder_add_removals(struct builder *b)
{
    const struct node *c;
    long previous = PLAN_NONE;

    node_for_each (c, b->w->containers) {
        const char *instance = object_label(c, LABEL_INSTANCE);
        const char *component = object_label(c, LABEL_COMPONENT);

        if (!instance || desired_find(b->d, instance) || object_is_aside(c))
            continue;
        if (b->o->self && strcmp(instance, b->o->self) == 0) {
            problems_add(&b->wrong, NULL,
                         "%s cannot take itself away; say `slipway up` where its file is",
                         instance);
            continue;
        }
        if (is_drained(c) && component)
            builder_check_pools(b, component, instance);
        previous = add_removal(b, c, instance, previous);
    }
    add_stale_instances(b);
}

static bool volume_is_wanted(const struct desired *d, const char *name)
{
    for (size_t i = 0; i < d->count; i++)
        if (strv_has(&d->items[i].spec->volumes, name))
            return true;
    return false;
}

/* What carries the labels and is left alone. */
static void add_strays(struct plan *p, const struct observed *w)
{
    const struct node *c;

    node_for_each (c, w->strays) {
        const char *instance = object_label(c, LABEL_INSTANCE);

        strv_addf(&p->strays,
                  "container %s carries the labels of %s and is another one; it is left alone "
                  "(`docker rm -f %s` removes it)",
                  object_name(c), instance ? instance : p->env, object_name(c));
    }
}

void builder_add_notes(struct builder *b)
{
    const struct node *v;

    add_strays(b->p, b->w);
    node_for_each (v, b->w->volumes) {
        const char *name = node_get_text(v, "Name"), *of = object_label(v, LABEL_INSTANCE);

        if (!name || !object_is_ours(v, b->d->key->uuid) || volume_is_wanted(b->d, name))
            continue;
        /* How old it is nobody knows: Docker's CreatedAt is when the volume's folder changed. */
        strv_addf(&b->p->notes,
                  "volume %s of %s is used by no instance and keeps its data; remove it with "
                  "`slipway down --volume %s`",
                  name, of ? of : "?", name);
    }
}

/* ---- down ---- */

/* Whether an object is of one of these instances. */
static bool is_named(const struct node *object, const struct strv *instances)
{
    const char *name = object_label(object, LABEL_INSTANCE);

    return name && strv_has(instances, name);
}

/* A label can be on a copy; who names the volume has decided. */
static bool is_known(const struct node *v, const struct plan_down_opts *o)
{
    const char *name = node_get_text(v, "Name");

    return object_has_default_name(v) || (o->made && strv_has(o->made, name));
}

static bool volume_goes(const struct node *v, const struct env_key *key,
                        const struct plan_down_opts *o)
{
    const char *name = node_get_text(v, "Name");

    if (!name || !object_is_ours(v, key->uuid))
        return false;
    if (o->named && strv_has(o->named, name))
        return true;
    return o->volumes && is_known(v, o) && (!o->instances || is_named(v, o->instances));
}

/* Why a volume stays; nothing when only single instances go. */
static void add_volume_note(struct plan *p, const struct node *v, const struct plan_down_opts *o)
{
    const char *name = node_get_text(v, "Name");

    if (o->instances || o->named)
        return;
    if (is_known(v, o))
        strv_addf(&p->notes, "volume %s stays and keeps its data", name);
    else
        strv_addf(&p->strays,
                  "volume %s carries the labels of %s and was not made by Slipway; it is left "
                  "alone (`docker volume rm %s` removes it)",
                  name, p->env, name);
}

/* What it mounted is the host's too, so it has to be asked to take that away, while its storage
 * still answers. */
static bool shows_mounts(const struct node *c)
{
    const struct node *mounts = node_get(c, "Mounts"), *m;

    node_for_each (m, mounts) {
        const char *propagation = node_get_text(m, "Propagation");

        if (propagation && strcmp(propagation, "rshared") == 0)
            return true;
    }
    return false;
}

/* A container that goes, and the operations that make it go. */
struct down {
    const struct node *c;
    size_t depth; /* order.h */
    bool exports; /* its mounts are the host's, too */
    long stop, removal;
};

/* Those that need others come first. A driver of an unknown component still comes before its
 * storage. */
static int by_depth(const void *a, const void *b)
{
    const struct down *x = a, *y = b;

    if (x->depth != y->depth)
        return x->depth > y->depth ? -1 : 1;
    if (x->exports != y->exports)
        return x->exports ? -1 : 1;
    return strcmp(object_name(x->c), object_name(y->c));
}

static size_t find_downs(struct down *list, const struct observed *w,
                         const struct plan_down_opts *o)
{
    size_t count = 0;
    const struct node *c;

    node_for_each (c, w->containers) {
        const char *component = object_label(c, LABEL_COMPONENT);
        struct down *d = &list[count];

        if (o->instances && !is_named(c, o->instances))
            continue;
        *d = (struct down){.c = c, .exports = shows_mounts(c)};
        d->depth = order_depth(o->catalog, component ? component : "", false);
        if (d->exports && !(o->catalog && component && catalog_find(o->catalog, component)))
            d->depth = SIZE_MAX;
        count++;
    }
    qsort(list, count, sizeof(*list), by_depth);
    return count;
}

static void add_down(struct plan *p, struct down *d, const struct plan_down_opts *o)
{
    const char *instance = object_label(d->c, LABEL_INSTANCE);

    if (!instance)
        instance = object_name(d->c);
    d->stop = PLAN_NONE;
    /* What is removed with its data needs no time to write it out. */
    if (observed_runs(d->c) && (o->instances || !o->volumes || d->exports)) {
        d->stop = plan_add(p, OP_KIND_INSTANCE_STOP, instance, NULL);
        p->ops[d->stop].object = mem_strdup(node_get_text(d->c, "Id"));
    }
    d->removal = plan_add(p, OP_KIND_INSTANCE_REMOVE, instance,
                          o->instances ? NULL : mem_printf("%s is taken down", p->env));
    p->ops[d->removal].object = mem_strdup(node_get_text(d->c, "Id"));
    plan_after(p, d->removal, d->stop);
}

/* Whatever one needs goes after it: storage after the driver that writes to it. etcd carries the
 * lock and the configuration the others drain with: it goes last. */
static void order_downs(struct plan *p, const struct down *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct down *d = &list[i];
        long first = d->stop != PLAN_NONE ? d->stop : d->removal;

        for (size_t j = 0; j < i; j++) {
            const struct down *other = &list[j];

            if (other->depth == d->depth && !(other->exports && !d->exports))
                continue;
            if (d->depth == 0)
                plan_after(p, first, other->removal);
            else if (other->stop != PLAN_NONE)
                plan_after(p, first, other->stop);
            else if (d->stop != PLAN_NONE)
                plan_after(p, d->stop, other->removal);
        }
    }
}

static void add_down_containers(struct plan *p, const struct observed *w,
                                const struct plan_down_opts *o)
{
    auto_free struct down *list = mem_array(w->containers->count + 1, sizeof(*list));
    size_t count = find_downs(list, w, o);

    for (size_t i = 0; i < count; i++)
        add_down(p, &list[i], o);
    order_downs(p, list, count);
}

/* Length of the component's name in an instance's. */
static size_t component_len(const char *instance)
{
    const char *dash = strrchr(instance, '-');

    return dash ? (size_t)(dash - instance) : strlen(instance);
}

static bool has_record(const struct plan *p, const struct observed *w, const char *instance)
{
    auto_free char *applied = keys_instance_applied(p->env, instance);

    return observed_value(w, applied) != NULL;
}

/* Whether no instance of the same component keeps data beside those that lose theirs. */
static bool is_last(const struct plan *p, const struct observed *w, const char *instance,
                    const struct strv *losers)
{
    auto_strv struct strv names = {0};
    size_t len = component_len(instance);

    keys_instances(&names, &w->keys);
    for (size_t i = 0; i < names.count; i++) {
        const char *other = names.items[i];

        if (component_len(other) == len && strncmp(other, instance, len) == 0 &&
            !strv_has(losers, other) && has_record(p, w, other))
            return false;
    }
    return true;
}

/* Instances whose data goes, while the environment stays. */
static void add_losers(struct strv *losers, const struct observed *w, const struct env_key *key,
                       const struct plan_down_opts *o)
{
    const struct node *v;

    if (o->instances && o->volumes)
        strv_add_all(losers, o->instances);
    node_for_each (v, w->volumes) {
        const char *name = object_label(v, LABEL_INSTANCE);

        if (!o->instances && name && volume_goes(v, key, o) && !strv_has(losers, name))
            strv_add(losers, name);
    }
}

/*
 * Whoever lost data is not started on an empty volume (agent/start.c): what is removed on purpose
 * is forgotten in etcd too. After the container, whose agent would write it again, and before the
 * volume: a run that is cut short between them leaves data without a record, which harms nobody.
 */
static void add_records(struct plan *p, const struct observed *w, const struct strv *losers)
{
    size_t containers = p->count;

    for (size_t i = 0; i < losers->count; i++) {
        const char *name = losers->items[i];
        size_t len = component_len(name);
        long op;

        if (strncmp(name, ETCD_COMPONENT, len) == 0 && len == strlen(ETCD_COMPONENT))
            continue;
        if (!w->etcd_answers) {
            strv_addf(&p->notes,
                      "etcd does not run and still holds the record that %s had data: when "
                      "`slipway up` misses it, `slipway -e %s remove --force --volumes %s`",
                      name, p->env, name);
            continue;
        }
        if (!has_record(p, w, name))
            continue;
        op = plan_add(p, OP_KIND_RECORD_REMOVE, name, mem_strdup("its data goes"));
        if (is_last(p, w, name, losers))
            p->ops[op].object = mem_strndup(name, len);
        for (size_t c = 0; c < containers; c++)
            plan_after(p, op, (long)c);
    }
}

static void add_down_networks(struct plan *p, const struct observed *w, const struct env_key *key)
{
    size_t before = p->count;
    const struct node *n;

    node_for_each (n, w->networks) {
        long op;

        if (!object_is_ours(n, key->uuid))
            continue;
        op = plan_add(p, OP_KIND_NETWORK_REMOVE, node_get_text(n, "Name"), NULL);
        p->ops[op].object = mem_strdup(node_get_text(n, "Id"));
        for (size_t i = 0; i < before; i++)
            plan_after(p, op, (long)i);
    }
}

/* One that somebody else removed is forgotten when it is named. Another one that has its place is
 * left as it is. */
static void add_forgotten(struct plan *p, const struct observed *w, const char *name,
                          const struct plan_down_opts *o)
{
    const struct node *v;
    long op;

    if (!strv_has(o->made, name))
        return;
    node_for_each (v, w->volumes) {
        const char *have = node_get_text(v, "Name");

        if (!have || strcmp(have, name) != 0)
            continue;
        if (!object_label(v, LABEL_ENV))
            plan_add(p, OP_KIND_VOLUME_REMOVE, name,
                     mem_strdup("the one that was made is gone and is forgotten; what has its "
                                "name stays"));
        return;
    }
    op = plan_add(p, OP_KIND_VOLUME_REMOVE, name, mem_strdup("it is gone, and is forgotten"));
    p->ops[op].object = mem_strdup(name);
}

int plan_down(struct plan **out, const char *env, const struct env_key *key,
              const struct observed *w, const struct plan_down_opts *o, struct err *e)
{
    auto_plan struct plan *p = mem_alloc(sizeof(*p));
    auto_strv struct strv losers = {0};
    const struct node *n;
    size_t before;
    bool everything = !o->named && !o->instances;

    (void)e;
    p->env = mem_strdup(env);
    if (everything || o->instances)
        add_down_containers(p, w, o);
    if (everything)
        add_strays(p, w);
    if (!everything) {
        add_losers(&losers, w, key, o);
        add_records(p, w, &losers);
    }
    before = p->count;
    if (everything)
        add_down_networks(p, w, key);
    node_for_each (n, w->volumes) {
        const char *name = node_get_text(n, "Name");
        long op;

        if (!volume_goes(n, key, o)) {
            if (name && object_is_ours(n, key->uuid))
                add_volume_note(p, n, o);
            continue;
        }
        op = plan_add(p, OP_KIND_VOLUME_REMOVE, name,
                      mem_strdup("named for removal: its data goes"));
        p->ops[op].object = mem_strdup(name);
        for (size_t i = 0; i < before; i++)
            plan_after(p, op, (long)i);
    }
    for (size_t i = 0; o->named && o->made && i < o->named->count; i++)
        add_forgotten(p, w, o->named->items[i], o);
    if (o->home && everything) {
        long op =
            plan_add(p, OP_KIND_HOME_REMOVE, env, mem_strdup("nothing is left that it opens"));

        for (long i = 0; i < op; i++)
            plan_after(p, op, i);
    }
    *out = steal(p);
    return 0;
}

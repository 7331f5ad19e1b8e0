/* SPDX-License-Identifier: MIT */
/* Part of plan_up: what is there and no longer wanted; and plan_down: everything goes. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/keys.h"
#include "plan/connect.h"
#include "plan/plan_up.h"

static const char *container_name(const struct node *c)
{
    const struct node *names = node_get(c, "Names");

    return names && names->count && names->items[0]->text ? names->items[0]->text + 1 : "?";
}

static bool is_running(const struct node *c)
{
    const char *state = world_state(c);

    return strcmp(state, "running") == 0 || strcmp(state, "restarting") == 0 ||
           strcmp(state, "paused") == 0;
}

/* One that never ran has nothing to move away. */
static bool is_drained(const struct node *c)
{
    return strcmp(world_state(c), "created") != 0;
}

/* Drains, stops and removes one instance after everything that is wanted is well. One that is down
 * is started for it: its data may be the last copy. */
static long add_removal(struct builder *b, const struct node *c, const char *instance,
                        long previous)
{
    long op = previous, start = PLAN_NONE, drain = PLAN_NONE, stop = PLAN_NONE, removal, keys;

    if (is_drained(c) && !is_running(c)) {
        start = plan_add(b->p, OP_KIND_INSTANCE_START, instance,
                         mem_strdup("it is down, and its data is moved away first"));
        b->p->ops[start].object = mem_strdup(container_name(c));
        for (size_t i = 0; i < b->d->count; i++)
            plan_after(b->p, start, b->wait[i]);
        plan_after(b->p, start, b->lock);
        plan_after(b->p, start, op);
    }
    if (is_drained(c)) {
        drain = plan_add(b->p, OP_KIND_INSTANCE_DRAIN, instance,
                         mem_strdup("no longer in the environment document"));
        b->p->ops[drain].object = mem_strdup(container_name(c));
        for (size_t i = 0; i < b->d->count; i++)
            plan_after(b->p, drain, b->wait[i]);
        plan_after(b->p, drain, b->lock);
        plan_after(b->p, drain, start);
        plan_after(b->p, drain, op);
    }
    if (is_running(c) || start != PLAN_NONE) {
        stop = plan_add(b->p, OP_KIND_INSTANCE_STOP, instance, NULL);
        b->p->ops[stop].object = mem_strdup(container_name(c));
        plan_after(b->p, stop, drain);
        plan_after(b->p, stop, op);
    }
    removal = plan_add(b->p, OP_KIND_INSTANCE_REMOVE, instance,
                       mem_strdup("no longer in the environment document"));
    b->p->ops[removal].object = mem_strdup(container_name(c));
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
    auto_free char *env = keys_env(b->d->spec->name);
    auto_free char *prefix = mem_printf("%sinstances/", env);
    auto_strv struct strv done = {0};

    for (size_t i = 0; i < b->w->keys.count; i++) {
        const char *key = b->w->keys.items[i].key;
        auto_free char *name = NULL;
        long op;

        if (strncmp(key, prefix, strlen(prefix)) != 0)
            continue;
        key += strlen(prefix);
        name = mem_strndup(key, strcspn(key, "/"));
        if (desired_find(b->d, name) || connect_find(b->w->containers, name) ||
            strv_has(&done, name))
            continue;
        strv_add(&done, name);
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
        const char *instance = connect_label(c, LABEL_INSTANCE);

        if (!instance || desired_find(b->d, instance) || connect_is_aside(c))
            continue;
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

void builder_add_notes(struct builder *b)
{
    const struct node *v;

    node_for_each (v, b->w->volumes) {
        const char *name = node_get_text(v, "Name"), *made = node_get_text(v, "CreatedAt");

        if (!name || !connect_is_ours(v, b->d->key->uuid) || volume_is_wanted(b->d, name))
            continue;
        strv_addf(
            &b->p->notes,
            "volume %s of %s, made %s, is used by no instance and keeps its data; remove it with "
            "`slipway down --volume %s`",
            name, connect_label(v, LABEL_INSTANCE) ? connect_label(v, LABEL_INSTANCE) : "?",
            made ? made : "?", name);
    }
}

/* ---- down ----------------------------------------------------------------------------------- */

/* Whether an object is of one of these instances. */
static bool is_named(const struct node *object, const struct strv *instances)
{
    const char *name = connect_label(object, LABEL_INSTANCE);

    return name && strv_has(instances, name);
}

static bool volume_goes(const struct node *v, const struct env_key *key,
                        const struct plan_down_opts *o)
{
    const char *name = node_get_text(v, "Name");

    if (!name || !connect_is_ours(v, key->uuid))
        return false;
    if (o->instances)
        return o->volumes && is_named(v, o->instances);
    return o->volumes || (o->named && strv_has(o->named, name));
}

/* Removals, or stops, that others wait for; the list ends with PLAN_NONE. */
struct downs {
    long *exports; /* stops of those whose mounts the host sees */
    long *rest;    /* removals of all but etcd */
};

static void put_last(long *list, long op)
{
    while (*list != PLAN_NONE)
        list++;
    list[0] = op;
    list[1] = PLAN_NONE;
}

static void after_all(struct plan *p, long op, const long *list)
{
    for (; *list != PLAN_NONE; list++)
        plan_after(p, op, *list);
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

enum down_pass { PASS_EXPORTS, PASS_REST, PASS_ETCD, PASS_COUNT };

static void add_down_container(struct plan *p, const struct node *c, enum down_pass pass,
                               struct downs *d, const struct plan_down_opts *o)
{
    const char *instance = connect_label(c, LABEL_INSTANCE);
    long stop = PLAN_NONE, removal;

    if (!instance)
        instance = container_name(c);
    if (is_running(c) && (o->instances || !o->volumes || pass == PASS_EXPORTS)) {
        stop = plan_add(p, OP_KIND_INSTANCE_STOP, instance, NULL);
        p->ops[stop].object = mem_strdup(node_get_text(c, "Id"));
    }
    removal = plan_add(p, OP_KIND_INSTANCE_REMOVE, instance,
                       o->instances ? NULL : mem_printf("%s is taken down", p->env));
    p->ops[removal].object = mem_strdup(node_get_text(c, "Id"));
    plan_after(p, removal, stop);
    for (int i = 0; i < 2; i++) {
        long op = i == 0 ? stop : removal;

        if (op != PLAN_NONE && pass != PASS_EXPORTS)
            after_all(p, op, d->exports);
        if (op != PLAN_NONE && pass == PASS_ETCD)
            after_all(p, op, d->rest);
    }
    if (pass == PASS_EXPORTS && stop != PLAN_NONE)
        put_last(d->exports, stop);
    if (pass != PASS_ETCD)
        put_last(d->rest, removal);
}

/* etcd carries the lock and the configuration the others drain with: it goes last. */
static enum down_pass pass_of(const struct node *c)
{
    const char *component = connect_label(c, LABEL_COMPONENT);

    if (component && strcmp(component, ETCD_COMPONENT) == 0)
        return PASS_ETCD;
    return shows_mounts(c) ? PASS_EXPORTS : PASS_REST;
}

static void add_down_containers(struct plan *p, const struct world *w,
                                const struct plan_down_opts *o)
{
    auto_free long *exports = mem_array(w->containers->count + 1, sizeof(long));
    auto_free long *rest = mem_array(w->containers->count + 1, sizeof(long));
    struct downs d = {exports, rest};

    exports[0] = rest[0] = PLAN_NONE;
    for (enum down_pass pass = 0; pass < PASS_COUNT; pass++) {
        const struct node *c;

        node_for_each (c, w->containers) {
            if (pass_of(c) == pass && (!o->instances || is_named(c, o->instances)))
                add_down_container(p, c, pass, &d, o);
        }
    }
}

int plan_down(struct plan **out, const char *env, const struct env_key *key, const struct world *w,
              const struct plan_down_opts *o, struct err *e)
{
    auto_plan struct plan *p = mem_alloc(sizeof(*p));
    const struct node *n;
    size_t containers;
    bool everything = !o->named && !o->instances;

    (void)e;
    p->env = mem_strdup(env);
    if (everything || o->instances)
        add_down_containers(p, w, o);
    containers = p->count;
    node_for_each (n, w->networks) {
        long op;

        if (!everything || !connect_is_ours(n, key->uuid))
            continue;
        op = plan_add(p, OP_KIND_NETWORK_REMOVE, node_get_text(n, "Name"), NULL);
        p->ops[op].object = mem_strdup(node_get_text(n, "Id"));
        for (size_t i = 0; i < containers; i++)
            plan_after(p, op, (long)i);
    }
    node_for_each (n, w->volumes) {
        const char *name = node_get_text(n, "Name");
        long op;

        if (!volume_goes(n, key, o)) {
            if (name && everything && connect_is_ours(n, key->uuid))
                strv_addf(&p->notes, "volume %s stays and keeps its data", name);
            continue;
        }
        op = plan_add(p, OP_KIND_VOLUME_REMOVE, name,
                      mem_strdup("named for removal: its data goes"));
        p->ops[op].object = mem_strdup(name);
        for (size_t i = 0; i < containers; i++)
            plan_after(p, op, (long)i);
    }
    if (o->home && everything) {
        long op =
            plan_add(p, OP_KIND_HOME_REMOVE, env, mem_strdup("nothing is left that it opens"));

        for (long i = 0; i < op; i++)
            plan_after(p, op, i);
    }
    *out = steal(p);
    return 0;
}

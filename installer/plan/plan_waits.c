/* SPDX-License-Identifier: MIT */
/* Part of plan_up: which instances are waited for, and what is known of them before. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"
#include "plan/body.h"
#include "plan/object.h"
#include "plan/plan_up.h"

/* A JSON report of the agent in the snapshot; NULL when there is none. Owned. */
static struct node *report(const struct builder *b, char *key)
{
    const char *text = observed_value(b->w, key);
    struct node *n = NULL;
    struct err ignored;

    free(key);
    if (!text || json_parse(&n, "report", text, strlen(text), &ignored) < 0)
        return NULL;
    return n;
}

/*
 * What is wrong with an instance before anything is changed: a pool that is full makes the manager
 * unhealthy, and will make its successor so. Owned; NULL when nothing is.
 */
static struct node *complaints(const struct builder *b, const char *name)
{
    auto_node struct node *status = report(b, keys_instance_status(b->d->spec->name, name));
    auto_node struct node *applied = report(b, keys_instance_applied(b->d->spec->name, name));
    auto_node struct node *n = node_new_map();

    if (node_text_is(status, "state", "ready") && node_text_is(status, "health", "unhealthy"))
        node_set_text(n, "reason", node_get_text(status, "reason"));
    if (node_text_is(applied, "result", "failed"))
        node_set_text(n, "error", node_get_text(applied, "error"));
    return n->count ? steal(n) : NULL;
}

bool builder_has_never_reported(const struct builder *b, const char *name)
{
    auto_free char *status = keys_instance_status(b->d->spec->name, name);
    auto_free char *applied = keys_instance_applied(b->d->spec->name, name);

    return b->w->etcd_answers && !observed_value(b->w, status) && !observed_value(b->w, applied);
}

/* When the acknowledgement that is in the snapshot was given; 0: there is none. */
static int64_t heard_at(const struct builder *b, const char *name)
{
    auto_node struct node *applied = report(b, keys_instance_applied(b->d->spec->name, name));

    return node_get_int(applied, "at", 0);
}

long builder_add_wait(struct builder *b, size_t item, long after, bool replaces)
{
    const struct desired_instance *it = &b->d->items[item];
    long op = b->wait[item];

    if (op == PLAN_NONE) {
        op = plan_add(b->p, OP_KIND_INSTANCE_WAIT, it->spec->name, mem_strdup("ready and healthy"));
        b->p->ops[op].instance = it;
        b->p->ops[op].object = mem_strdup(it->container);
        b->p->ops[op].heard_at = heard_at(b, it->spec->name);
        b->wait[item] = op;
    }
    b->p->ops[op].replaces = b->p->ops[op].replaces || replaces;
    if (replaces && !b->p->ops[op].before)
        b->p->ops[op].before = complaints(b, it->spec->name);
    plan_after(b->p, op, after);
    plan_after(b->p, op, b->name[item]);
    plan_after(b->p, op, b->link[item]);
    plan_after(b->p, op, b->user[item]);
    return op;
}

/* A container that runs and is not well may be one whose run ended before it sent the link. */
void builder_add_lost_link(struct builder *b, size_t item)
{
    const struct desired_instance *it = &b->d->items[item];

    if (b->start[item] != PLAN_NONE || b->link[item] != PLAN_NONE || !body_takes_link(it) ||
        !object_find_instance(b->w->containers, it->spec->name))
        return;
    builder_order_link(b, builder_component_of(b, item),
                       builder_add_link(b, OP_KIND_LINK_PUT, item, b->lock));
}

/* Somebody gave the container another name: everything below finds it by its own. */
/* A run that was interrupted between start and readiness left instances that nobody waited for. */
static bool is_well(const struct builder *b, const struct desired_instance *it)
{
    const char *env = b->d->spec->name;
    auto_node struct node *status = report(b, keys_instance_status(env, it->spec->name));
    auto_node struct node *applied = report(b, keys_instance_applied(env, it->spec->name));
    const struct node *have = object_find_instance(b->w->containers, it->spec->name);

    return have && observed_is_of_this_run(b->w, have, node_get_int(status, "since", 0)) &&
           node_text_is(status, "state", "ready") && !node_text_is(status, "health", "unhealthy") &&
           node_text_is(applied, "result", "ok");
}

void builder_add_waits(struct builder *b)
{
    for (size_t i = 0; i < b->d->component_count; i++) {
        const struct desired_component *c = &b->d->components[i];

        for (size_t k = c->first; k < c->first + c->count; k++) {
            bool well = is_well(b, &b->d->items[k]) ||
                        (b->o->still_unhealthy &&
                         strv_has(b->o->still_unhealthy, b->d->items[k].spec->name));

            if (!builder_is_about(b, &b->d->items[k]) ||
                (b->push[i] == PLAN_NONE && (well || !b->w->etcd_answers)))
                continue;
            if (!well)
                builder_add_lost_link(b, k);
            if (!b->o->only)
                builder_add_wait(b, k, b->push[i], false);
        }
    }
    /* etcd's own agents can say that they are ready only when they have a user. */
    for (size_t k = 0; k < b->d->count; k++)
        if (b->wait[k] != PLAN_NONE)
            plan_after(b->p, b->wait[k], b->etcd);
}

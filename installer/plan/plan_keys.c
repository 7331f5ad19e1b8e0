/* SPDX-License-Identifier: MIT */
/* Part of plan_up: roles, users and keys of one component, against what etcd holds. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "model/applied.h"
#include "model/keys.h"
#include "plan/connect.h"
#include "plan/plan_up.h"

/* Null entries for keys below `prefix` that nobody wants any more. */
static void add_stale(struct builder *b, struct node *writes, struct node *was,
                      const struct node *want, const char *prefix)
{
    size_t len = strlen(prefix);

    for (size_t i = 0; i < b->w->keys.count; i++) {
        const struct etcd_kv *kv = &b->w->keys.items[i];

        if (strncmp(kv->key, prefix, len) != 0 || applied_is_report(kv->key) ||
            node_get(want, kv->key))
            continue;
        node_set(writes, kv->key, node_new(NODE_KIND_NULL));
        node_set_text(was, kv->key, kv->value);
    }
}

static void diff_component(struct builder *b, const struct desired_component *c,
                           const struct node *want, struct node *writes, struct node *was)
{
    const char *env = b->d->spec->name;
    auto_free char *prefix = keys_component(env, c->spec->manifest->name);
    const struct node *value;

    node_for_each (value, want) {
        const char *have = world_value(b->w, value->key);

        if ((have && strcmp(have, value->text) == 0) || strv_has(&b->p->unread, value->key))
            continue;
        node_set_text(writes, value->key, value->text);
        if (have)
            node_set_text(was, value->key, have);
    }
    add_stale(b, writes, was, want, prefix);
    for (size_t i = c->first; i < c->first + c->count; i++) {
        auto_free char *own = keys_instance(env, b->d->items[i].spec->name);

        add_stale(b, writes, was, want, own);
    }
}

/* "3 new", unless there are none. */
static void add_count(struct strv *parts, size_t count, const char *what)
{
    if (count)
        strv_addf(parts, "%zu %s", count, what);
}

static char *push_cause(const struct node *writes, const struct node *was)
{
    auto_strv struct strv parts = {0};
    size_t changed = 0, removed = 0;
    const struct node *value;

    node_for_each (value, writes) {
        if (value->kind == NODE_KIND_NULL)
            removed++;
        else if (node_get(was, value->key))
            changed++;
    }
    add_count(&parts, writes->count - changed - removed, "new");
    add_count(&parts, changed, "changed");
    add_count(&parts, removed, "removed");
    auto_free char *counts = strv_join(&parts, ", ");
    return mem_printf("%s %s", counts, writes->count == 1 ? "key" : "keys");
}

/* An instance has its user, with its rights, when its meta key says so: the push that writes it
 * comes after the user. */
static bool has_user(const struct builder *b, const struct desired_instance *it)
{
    auto_free char *key = keys_instance_meta(b->d->spec->name, it->spec->name);
    auto_free char *edits = strv_join(&it->spec->manifest->edits, " ");
    const char *meta = world_value(b->w, key), *had;
    auto_node struct node *n = NULL;
    struct err e;

    if (!meta)
        return false;
    if (json_parse(&n, key, meta, strlen(meta), &e) < 0)
        err_drop(&e, "the rights of an instance");
    had = node_get_text(n, "edits");
    return strcmp(had ? had : "", edits) == 0;
}

static void add_access(struct builder *b, size_t component, long push)
{
    const struct desired_component *c = &b->d->components[component];
    long role = PLAN_NONE;
    size_t known = 0;

    for (size_t i = c->first; i < c->first + c->count; i++)
        known += has_user(b, &b->d->items[i]);
    if (known == c->count)
        return;
    if (known == 0) {
        role = plan_add(b->p, OP_KIND_ROLE_ENSURE, c->spec->manifest->name, NULL);
        b->p->ops[role].component = c;
        plan_after(b->p, role, b->etcd);
        plan_after(b->p, role, b->lock);
        plan_after(b->p, push, role);
    }
    for (size_t i = c->first; i < c->first + c->count; i++) {
        long user;

        if (has_user(b, &b->d->items[i]))
            continue;
        user = plan_add(b->p, OP_KIND_USER_ENSURE, b->d->items[i].spec->name, NULL);
        b->p->ops[user].instance = &b->d->items[i];
        plan_after(b->p, user, b->etcd);
        plan_after(b->p, user, b->lock);
        plan_after(b->p, user, role);
        plan_after(b->p, push, user);
    }
}

/* A running container whose link changed (etcd grew or shrank) gets the new one for its next start.
 */
static void add_links(struct builder *b, const struct desired_component *c,
                      const struct node *writes)
{
    for (size_t i = c->first; i < c->first + c->count; i++) {
        const struct desired_instance *it = &b->d->items[i];
        auto_free char *key = keys_instance_meta(b->d->spec->name, it->spec->name);
        long op;

        if (!node_get(writes, key) || !world_value(b->w, key) || b->start[i] != PLAN_NONE ||
            !builder_by_name(b->w->containers, it->container))
            continue;
        op = plan_add(b->p, OP_KIND_LINK_PUT, it->spec->name, mem_strdup("the link changed"));
        b->link[i] = op;
        b->p->ops[op].instance = it;
        b->p->ops[op].object = mem_strdup(it->container);
        plan_after(b->p, op, b->lock);
    }
}

int builder_add_keys(struct builder *b, size_t component, struct err *e)
{
    const struct desired_component *c = &b->d->components[component];
    auto_node struct node *want = NULL;
    auto_node struct node *writes = node_new_map();
    auto_node struct node *was = node_new_map();
    struct op *op;
    long push;

    if (desired_keys(&want, b->d, c, e) < 0)
        return -1;
    diff_component(b, c, want, writes, was);
    if (writes->count == 0)
        return 0;
    add_links(b, c, writes);
    push = plan_add(b->p, OP_KIND_KEYS_PUSH, c->spec->manifest->name, push_cause(writes, was));
    op = &b->p->ops[push];
    op->component = c;
    op->writes = steal(writes);
    op->was = steal(was);
    b->push[component] = push;
    plan_after(b->p, push, b->etcd);
    plan_after(b->p, push, b->lock);
    add_access(b, component, push);
    return 0;
}

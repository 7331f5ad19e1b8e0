/* SPDX-License-Identifier: MIT */
/* Part of plan_up: roles, users and keys of one component, against what etcd holds. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "model/applied.h"
#include "model/grow.h"
#include "model/keys.h"
#include "plan/grants.h"
#include "plan/object.h"
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
        const char *have = observed_value(b->w, value->key);

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

/*
 * An instance that failed to bring its keys into effect gets `meta` once more as it is: that is how
 * its agent is asked to try again what it refused.
 */
static size_t ask_again(struct builder *b, const struct desired_component *c,
                        const struct node *want, struct node *writes)
{
    size_t asked = 0;

    for (size_t i = c->first; i < c->first + c->count; i++) {
        const char *env = b->d->spec->name, *name = b->d->items[i].spec->name;
        auto_free char *meta = keys_instance_meta(env, name);
        auto_free char *key = keys_instance_applied(env, name);
        const char *text = observed_value(b->w, key), *value = node_get_text(want, meta);
        auto_node struct node *applied = NULL;
        struct err e;

        if (!text || !value || node_get(writes, meta) || !observed_value(b->w, meta) ||
            (b->o->still_unhealthy && strv_has(b->o->still_unhealthy, name)))
            continue;
        if (json_parse(&applied, key, text, strlen(text), &e) < 0)
            err_drop(&e, "the acknowledgement of an instance");
        if (!node_text_is(applied, "result", "failed"))
            continue;
        node_set_text(writes, meta, value);
        asked++;
    }
    return asked;
}

/* "3 new", unless there are none. */
static void add_count(struct strv *parts, size_t count, const char *what)
{
    if (count)
        strv_addf(parts, "%zu %s", count, what);
}

static char *push_cause(const struct node *writes, const struct node *was, size_t asked)
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
    add_count(&parts, writes->count - changed - removed - asked, "new");
    add_count(&parts, changed, "changed");
    add_count(&parts, removed, "removed");
    add_count(&parts, asked, "to be tried again");
    auto_free char *counts = strv_join(&parts, ", ");
    return mem_printf("%s %s", counts, writes->count == 1 ? "key" : "keys");
}

/* An instance has its user, with its rights, when its meta key says so: the push that writes it
 * comes after the user. */
static bool was_given(const struct builder *b, const struct desired_instance *it)
{
    auto_free char *key = keys_instance_meta(b->d->spec->name, it->spec->name);
    auto_free char *edits = strv_join(&it->spec->manifest->edits, " ");
    const char *meta = observed_value(b->w, key), *had;
    auto_node struct node *n = NULL;
    struct err e;

    if (!meta)
        return false;
    if (json_parse(&n, key, meta, strlen(meta), &e) < 0)
        err_drop(&e, "the rights of an instance");
    had = node_get_text(n, "edits");
    return strcmp(had ? had : "", edits) == 0;
}

/* Whether its container runs and etcd hears nothing of it: its password or its rights may be others
 * than those it was given, which no list shows. */
static bool is_silent(const struct builder *b, const struct desired_instance *it)
{
    const struct node *c = object_find_instance(b->w->containers, it->spec->name);
    auto_free char *key = keys_instance_status(b->d->spec->name, it->spec->name);

    return b->w->access_known && c && strcmp(observed_state(c), "running") == 0 &&
           !observed_value(b->w, key);
}

/* Why an instance is given its user and its rights; NULL: it has them. "": it is new. */
static const char *why_user(const struct builder *b, const struct desired_instance *it)
{
    if (!was_given(b, it))
        return "";
    if (b->w->access_known &&
        (!strv_has(&b->w->users, it->spec->name) || !strv_has(&b->w->roles, it->spec->name)))
        return "etcd does not have it any more";
    return is_silent(b, it) ? "etcd hears nothing of the instance" : NULL;
}

static bool lacks_role(const struct builder *b, const struct desired_component *c)
{
    auto_free char *role = grants_component_role(c->spec->manifest->name);

    return b->w->access_known && !strv_has(&b->w->roles, role);
}

static long add_role(struct builder *b, const struct desired_component *c)
{
    size_t known = 0, silent = 0;
    bool lost = lacks_role(b, c);
    long role;

    for (size_t i = c->first; i < c->first + c->count; i++) {
        known += was_given(b, &b->d->items[i]);
        silent += is_silent(b, &b->d->items[i]);
    }
    if (known && !lost && !silent)
        return PLAN_NONE;
    role = plan_add(b->p, OP_KIND_ROLE_ENSURE, c->spec->manifest->name,
                    known && lost ? mem_strdup("etcd does not have it any more") : NULL);
    b->p->ops[role].component = c;
    plan_after(b->p, role, b->etcd);
    plan_after(b->p, role, b->lock);
    return role;
}

/* Before the push, if there is one, which the instance is to be able to read. */
static void add_access(struct builder *b, size_t component, long push)
{
    const struct desired_component *c = &b->d->components[component];
    long role = c->count ? add_role(b, c) : PLAN_NONE;

    plan_after(b->p, push, role);
    for (size_t i = c->first; i < c->first + c->count; i++) {
        const char *why = why_user(b, &b->d->items[i]);
        long user;

        /* A user of a role that is made again has lost it. */
        if (!why && role != PLAN_NONE && lacks_role(b, c))
            why = "";
        if (!why)
            continue;
        user = plan_add(b->p, OP_KIND_USER_ENSURE, b->d->items[i].spec->name,
                        *why ? mem_strdup(why) : NULL);
        b->p->ops[user].instance = &b->d->items[i];
        plan_after(b->p, user, b->etcd);
        plan_after(b->p, user, b->lock);
        plan_after(b->p, user, role);
        plan_after(b->p, push, user);
        b->user[i] = user;
    }
}

/* A running container whose link changed (etcd grew or shrank) gets the
 * new one for its next start. */
static void add_links(struct builder *b, const struct desired_component *c,
                      const struct node *writes, const struct node *was)
{
    for (size_t i = c->first; i < c->first + c->count; i++) {
        const struct desired_instance *it = &b->d->items[i];
        auto_free char *key = keys_instance_meta(b->d->spec->name, it->spec->name);
        long op;

        if (!node_get(writes, key) || !node_get(was, key) || b->start[i] != PLAN_NONE ||
            !object_find_instance(b->w->containers, it->spec->name))
            continue;
        op = plan_add(b->p, OP_KIND_LINK_PUT, it->spec->name, mem_strdup("the link changed"));
        b->link[i] = op;
        b->p->ops[op].instance = it;
        b->p->ops[op].object = mem_strdup(it->container);
        plan_after(b->p, op, b->lock);
        plan_after(b->p, op, b->name[i]);
    }
}

int builder_add_keys(struct builder *b, size_t component, struct err *e)
{
    const struct desired_component *c = &b->d->components[component];
    auto_node struct node *want = NULL;
    auto_node struct node *writes = node_new_map();
    auto_node struct node *was = node_new_map();
    struct op *op;
    size_t asked;
    long push;

    if (desired_keys(&want, b->d, c, e) < 0 || grow_check(b->d->spec, c->spec, &b->w->keys, e) < 0)
        return -1;
    diff_component(b, c, want, writes, was);
    builder_note_taken_back(b, c, writes, was);
    asked = ask_again(b, c, want, writes);
    if (writes->count == 0) {
        if (b->w->etcd_answers)
            add_access(b, component, PLAN_NONE);
        return 0;
    }
    add_links(b, c, writes, was);
    push =
        plan_add(b->p, OP_KIND_KEYS_PUSH, c->spec->manifest->name, push_cause(writes, was, asked));
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

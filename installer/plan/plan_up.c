/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "model/edits.h"
#include "model/keys.h"
#include "plan/address.h"
#include "plan/object.h"
#include "plan/plan.h"
#include "plan/plan_up.h"

static void builder_cleanup(struct builder **b)
{
    builder_free(*b);
}

static bool is_about_component(const struct builder *b, const struct desired_component *c)
{
    for (size_t i = c->first; i < c->first + c->count; i++)
        if (builder_is_about(b, &b->d->items[i]))
            return true;
    return false;
}

/* Whether the one instance that the plan is about has the container that it keeps, so that no image
 * is needed. */
static bool keeps_container(const struct builder *b)
{
    const struct node *have =
        b->o->only ? object_find_instance(b->w->containers, b->o->only) : NULL;
    auto_free char *drift = have ? address_drift(b->w, have, b->d->network) : NULL;

    return have && !drift;
}

/* The first build makes the base that all others stand on; those of one engine image follow each
 * other. */
static void add_images(struct builder *b)
{
    const struct desired *d = b->d;

    if (keeps_container(b))
        return;
    for (size_t i = 0; i < d->component_count; i++) {
        const struct desired_component *c = &d->components[i];

        if (strv_has(&b->w->images, c->image) || !is_about_component(b, c) ||
            (c->count == 1 && builder_is_self(b, &d->items[c->first])))
            continue;
        b->image[i] = plan_add(b->p, OP_KIND_IMAGE_BUILD, c->spec->manifest->name,
                               mem_printf("%s is not built yet", c->image));
        b->p->ops[b->image[i]].component = c;
        if (b->first_image == PLAN_NONE)
            b->first_image = b->image[i];
        plan_after(b->p, b->image[i], b->first_image);
        for (size_t k = 0; k < i; k++)
            if (strcmp(d->components[k].spec->manifest->image, c->spec->manifest->image) == 0)
                plan_after(b->p, b->image[i], b->image[k]);
    }
}

static void add_network(struct builder *b)
{
    const char *uuid = b->d->key->uuid;
    const struct node *have = address_network(b->w, b->d->network, uuid), *n;

    if (!have) {
        b->network = plan_add(b->p, OP_KIND_NETWORK_CREATE, b->d->network,
                              mem_printf("%s, not there", b->d->subnet));
        return;
    }
    node_for_each (n, b->w->networks) {
        const char *name = node_get_text(n, "Name");
        long op;

        if (!name || strcmp(name, b->d->network) != 0)
            continue;
        if (!object_is_ours(n, uuid) && object_label(n, LABEL_ENV))
            problems_add(&b->wrong, NULL, "network %s belongs to an environment with another key",
                         b->d->network);
        else if (!object_is_ours(n, uuid))
            problems_add(&b->wrong, NULL,
                         "network %s exists and does not belong to this environment; remove it "
                         "with `docker network rm %.12s` or choose another environment name",
                         b->d->network, node_get_text(n, "Id") ? node_get_text(n, "Id") : name);
        if (n == have || !object_is_ours(n, uuid) || b->o->only)
            continue;
        op = plan_add(b->p, OP_KIND_NETWORK_REMOVE, b->d->network,
                      mem_strdup("made twice by runs that were interrupted"));
        b->p->ops[op].object = mem_strdup(node_get_text(n, "Id"));
        plan_after(b->p, op, b->network);
        b->network = op;
    }
}

/* Whether an operation comes after an instance was seen well: it is replaced behind another one. */
static bool is_behind_wait(const struct plan *p, long op)
{
    for (size_t i = 0; op != PLAN_NONE && i < p->ops[op].dep_count; i++) {
        size_t dep = p->ops[op].deps[i];

        if (p->ops[dep].kind == OP_KIND_INSTANCE_WAIT || is_behind_wait(p, (long)dep))
            return true;
    }
    return false;
}

/* etcd must answer before anything is written; the lock is taken as soon as it does. A member that
 * is replaced behind others needs a quorum without it. */
static int add_etcd(struct builder *b, bool locked, struct err *e)
{
    bool starting = false;

    if (!b->w->etcd_answers && b->w->etcd_error.code == ERR_AUTH) {
        *e = b->w->etcd_error;
        return err_wrap(e, "etcd of environment %s refuses the key of this machine",
                        b->d->spec->name);
    }
    for (size_t i = 0; i < b->d->component_count; i++) {
        const struct desired_component *c = &b->d->components[i];

        for (size_t k = c->first; builder_is_etcd(c) && k < c->first + c->count; k++)
            starting = starting || b->start[k] != PLAN_NONE;
    }
    if (starting || !b->w->etcd_answers) {
        b->etcd = plan_add(b->p, OP_KIND_ETCD_WAIT, ETCD_COMPONENT,
                           mem_strdup(starting ? "it starts" : "it does not answer"));
        for (size_t k = 0; k < b->d->count; k++)
            if (strcmp(b->d->items[k].spec->manifest->name, ETCD_COMPONENT) == 0 &&
                !is_behind_wait(b->p, b->start[k]))
                plan_after(b->p, b->etcd, b->start[k]);
    }
    if (!locked) {
        b->lock = plan_add(b->p, OP_KIND_LOCK_TAKE, b->d->spec->name, NULL);
        plan_after(b->p, b->lock, b->etcd);
    }
    return 0;
}

/* A document that only lacks what instances changed since says the same: those keys count. */
static bool says(const struct builder *b, const char *key, const char *text)
{
    const struct etcd_kv *kv = etcd_kvs_find(&b->w->keys, key);
    auto_node struct node *have = NULL, *want = NULL;
    struct err e;

    if (!kv || strcmp(kv->value, text) == 0)
        return kv != NULL;
    if (!b->o->edits || b->o->edits->count == 0)
        return false;
    if (json_parse(&have, key, kv->value, kv->value_len, &e) < 0 ||
        json_parse(&want, key, text, strlen(text), &e) < 0) {
        err_drop(&e, "the document in etcd");
        return false;
    }
    edits_adopt(node_get(have, "document"), b->o->edits, &b->w->keys, kv->mod_revision);
    return node_equal(have, want);
}

static void add_spec(struct builder *b)
{
    auto_free char *key = keys_spec(b->d->spec->name);
    auto_free char *text = desired_spec(b->d, b->o->catalog_version);
    bool have = observed_value(b->w, key) != NULL;
    long op;

    if (says(b, key, text) || b->p->unread.count)
        return;
    op = plan_add(b->p, OP_KIND_SPEC_PUSH, b->d->spec->name,
                  mem_strdup(have ? "the environment document changed" : "first time"));
    b->p->ops[op].writes = node_new_map();
    node_set_text(b->p->ops[op].writes, key, text);
    plan_after(b->p, op, b->lock);
    plan_after(b->p, op, b->etcd);
}

/* True when `plan` holds nothing but the lock. */
static bool is_empty(const struct plan *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->ops[i].kind != OP_KIND_LOCK_TAKE)
            return false;
    return true;
}

/* Instances of etcd before all others: their starts are what ETCD_WAIT waits for. */
static void add_components(struct builder *b, bool etcd)
{
    for (size_t i = 0; i < b->d->component_count; i++)
        if (builder_is_etcd(&b->d->components[i]) == etcd)
            builder_add_instances(b, i);
}

/* ---- lost data ---- */

static bool volume_is_there(const struct builder *b, const char *name)
{
    const struct node *v;

    node_for_each (v, b->w->volumes) {
        const char *have = node_get_text(v, "Name");

        if (have && strcmp(have, name) == 0)
            return true;
    }
    return false;
}

/* Whether an instance of the component has any of its volumes; what is lost elsewhere can be made
 * again from those. */
static bool keeps_data(const struct builder *b, const struct manifest *m)
{
    for (size_t i = 0; i < b->d->count; i++) {
        const struct spec_instance *s = b->d->items[i].spec;

        for (size_t k = 0; s->manifest == m && k < s->volumes.count; k++)
            if (volume_is_there(b, s->volumes.items[k]))
                return true;
    }
    return false;
}

/* Whether etcd begins with nothing beside data of other instances: then nobody remembers who had
 * data and which hooks ran once. */
static bool etcd_begins_empty(const struct builder *b)
{
    for (size_t i = 0; i < b->d->component_count; i++)
        if (builder_is_etcd(&b->d->components[i]))
            return !keeps_data(b, b->d->components[i].spec->manifest);
    return false;
}

static bool has_data(const struct builder *b)
{
    const struct node *v;

    node_for_each (v, b->w->volumes)
        if (object_is_ours(v, b->d->key->uuid))
            return true;
    return false;
}

/* While etcd is there, the agents know from it what they had (agent/start.c). Without it only the
 * operator's folder does. */
static void check_lost(struct builder *b)
{
    if (!b->o->made || !has_data(b) || !etcd_begins_empty(b))
        return;
    for (size_t i = 0; i < b->d->count; i++) {
        const struct spec_instance *s = b->d->items[i].spec;
        bool is_etcd = strcmp(s->manifest->name, ETCD_COMPONENT) == 0;

        for (size_t k = 0; k < s->volumes.count; k++) {
            const char *name = s->volumes.items[k];

            if (volume_is_there(b, name) || !strv_has(b->o->made, name) ||
                (s->manifest->data_rebuilds && keeps_data(b, s->manifest)))
                continue;
            problems_add(
                &b->wrong, NULL,
                "the data of %s is gone: volume %s was made, or was about to be, and is not "
                "there; put it back from a backup, or begin %s: `slipway -e %s down "
                "--volume %s`",
                s->name, name,
                is_etcd ? "with an empty etcd and this machine's copy of the document"
                        : "without it",
                b->d->spec->name, name);
        }
    }
}

/* Everything that is in the way, in one error. */
static int refuse(const struct builder *b, struct err *e)
{
    if (problems_result(&b->wrong, e) == 0)
        return 0;
    e->code = ERR_CONFLICT;
    return b->wrong.count == 1
               ? -1
               : err_wrap(e, "%zu problems, and nothing was changed", b->wrong.count);
}

/* Somebody stopped it; whoever asks for all of it wants it to run. */
static void add_unstopped(struct builder *b)
{
    for (size_t i = 0; i < b->d->count; i++) {
        const char *name = b->d->items[i].spec->name;
        auto_free char *key = keys_controller_stopped(b->d->spec->name, name);
        long op;

        if (!observed_value(b->w, key))
            continue;
        op = plan_add(b->p, OP_KIND_KEYS_PUSH, name, mem_strdup("it is to run again"));
        b->p->ops[op].writes = node_new_map();
        node_set(b->p->ops[op].writes, key, node_new(NODE_KIND_NULL));
        plan_after(b->p, op, b->lock);
        plan_after(b->p, op, b->etcd);
        plan_after(b->p, op, b->start[i]);
    }
}

/* What is not about an instance that there should be. */
static void add_all_else(struct builder *b)
{
    add_unstopped(b);
    add_spec(b);
    builder_add_removals(b);
    check_lost(b);
}

int plan_up(struct plan **out, const struct desired *d, const struct observed *w,
            const struct plan_opts *o, struct err *e)
{
    auto_plan struct plan *p = mem_alloc(sizeof(*p));
    struct builder *b __attribute__((cleanup(builder_cleanup))) = builder_new(p, d, w);

    p->env = mem_strdup(d->spec->name);
    p->desired = d;
    b->o = o;
    for (size_t i = 0; o->unread && o->edits && i < o->edits->count; i++)
        strv_add(&p->unread, o->edits->items[i].key);
    add_images(b);
    add_network(b);
    add_components(b, true);
    if (add_etcd(b, o->locked, e) < 0)
        return -1;
    for (size_t i = 0; !o->only && i < d->component_count; i++)
        if (builder_add_keys(b, i, e) < 0)
            return -1;
    add_components(b, false);
    builder_check_host(b);
    builder_add_waits(b);
    if (!o->only)
        add_all_else(b);
    if (refuse(b, e) < 0)
        return -1;
    if (!o->only) {
        builder_add_notes(b);
        builder_note_detaching(b);
    }
    if (is_empty(p)) {
        struct plan *none = mem_alloc(sizeof(*none));

        none->env = mem_strdup(p->env);
        none->desired = d;
        none->notes = p->notes;
        none->strays = p->strays;
        p->notes = p->strays = (struct strv){0};
        *out = none;
        return 0;
    }
    *out = steal(p);
    return 0;
}

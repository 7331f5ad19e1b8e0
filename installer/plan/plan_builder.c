/* SPDX-License-Identifier: MIT */
/* Part of plan_up: the builder itself, and what all of its parts ask. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/object.h"
#include "plan/plan_up.h"

struct builder *builder_new(struct plan *p, const struct desired *d, const struct observed *w)
{
    struct builder *b = mem_alloc(sizeof(*b));

    b->p = p;
    b->d = d;
    b->w = w;
    b->network = b->etcd = b->lock = b->first_image = PLAN_NONE;
    b->image = mem_array(d->component_count + 1, sizeof(long));
    b->push = mem_array(d->component_count + 1, sizeof(long));
    b->start = mem_array(d->count + 1, sizeof(long));
    b->wait = mem_array(d->count + 1, sizeof(long));
    b->link = mem_array(d->count + 1, sizeof(long));
    b->name = mem_array(d->count + 1, sizeof(long));
    b->user = mem_array(d->count + 1, sizeof(long));
    for (size_t i = 0; i < d->component_count; i++)
        b->image[i] = b->push[i] = PLAN_NONE;
    for (size_t i = 0; i < d->count; i++)
        b->start[i] = b->wait[i] = b->link[i] = b->name[i] = b->user[i] = PLAN_NONE;
    return b;
}

void builder_free(struct builder *b)
{
    if (!b)
        return;
    free(b->image);
    free(b->push);
    free(b->start);
    free(b->wait);
    free(b->link);
    free(b->name);
    free(b->user);
    problems_clear(&b->wrong);
    node_free(b->in_force);
    free(b);
}

bool builder_is_self(const struct builder *b, const struct desired_instance *it)
{
    return it && b->o->self && strcmp(it->spec->name, b->o->self) == 0;
}

bool builder_is_etcd(const struct desired_component *c)
{
    return strcmp(c->spec->manifest->name, ETCD_COMPONENT) == 0;
}

bool builder_is_about(const struct builder *b, const struct desired_instance *it)
{
    return !b->o->only || strcmp(b->o->only, it->spec->name) == 0;
}

const struct node *builder_by_name(const struct node *containers, const char *name)
{
    const struct node *c;

    node_for_each (c, containers) {
        const struct node *names = node_get(c, "Names"), *n;

        node_for_each (n, names) {
            /* The API's names begin with a slash. */
            if (n->text && n->text[0] == '/' && strcmp(n->text + 1, name) == 0)
                return c;
        }
    }
    return NULL;
}

void builder_order_link(struct builder *b, size_t component, long op)
{
    if (builder_is_etcd(&b->d->components[component]))
        return;
    plan_after(b->p, op, b->etcd);
    plan_after(b->p, op, b->push[component]);
}

size_t builder_component_of(const struct builder *b, size_t item)
{
    size_t i = 0;

    while (b->d->components[i].first + b->d->components[i].count <= item)
        i++;
    return i;
}

long builder_add_link(struct builder *b, enum op_kind kind, size_t item, long after)
{
    const struct desired_instance *it = &b->d->items[item];
    long op = plan_add(b->p, kind, it->spec->name, NULL);

    b->p->ops[op].instance = it;
    b->p->ops[op].object = mem_strdup(it->container);
    plan_after(b->p, op, after);
    plan_after(b->p, op, b->name[item]);
    b->link[item] = op;
    return op;
}

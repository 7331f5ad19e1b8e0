/* SPDX-License-Identifier: MIT */
#include "plan/grants.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/edits.h"
#include "model/keys.h"

void grants_clear(struct grants *g)
{
    for (size_t i = 0; i < g->count; i++)
        free((char *)(uintptr_t)g->items[i].key);
    free(g->items);
    *g = (struct grants){0};
}

char *grants_component_role(const char *component)
{
    return mem_printf("component:%s", component);
}

enum right { RIGHT_READ, RIGHT_WRITE };

/* Takes the key. What is written may be read. */
static void grant(struct grants *g, char *key, enum right r)
{
    g->items = mem_grow(g->items, g->count + 1, sizeof(*g->items));
    g->items[g->count++] =
        (struct etcd_role_grant){.key = key, .read = true, .write = r == RIGHT_WRITE};
}

/* A key of another component, the lock that says whether somebody else is at work, and what
 * that component's instances report, those too that there may be once. */
static void grant_edits(struct grants *g, const struct spec *s, const struct manifest *m)
{
    for (size_t i = 0; i < m->edits.count; i++) {
        const struct spec_component *other;
        auto_free char *component = NULL;
        auto_free char *name = NULL;

        if (i == 0)
            grant(g, keys_lock(s->name), RIGHT_READ);
        edits_split(&component, &name, m->edits.items[i]);
        other = component ? spec_component(s, component) : NULL;
        if (!other)
            continue;
        grant(g, keys_component_config(s->name, component, name), RIGHT_WRITE);
        for (int n = 1; n <= other->manifest->instances_max; n++) {
            auto_free char *instance = mem_printf("%s-%d", component, n);

            grant(g, keys_instance_applied(s->name, instance), RIGHT_READ);
        }
    }
}

void grants_of_component(struct grants *g, const struct spec *s, const struct manifest *m)
{
    grant(g, keys_component(s->name, m->name), RIGHT_READ);
    grant(g, keys_component_once_lock(s->name, m->name), RIGHT_WRITE);
    grant(g, keys_component_once(s->name, m->name), RIGHT_WRITE);
    grant_edits(g, s, m);
}

void grants_of_instance(struct grants *g, const char *env, const char *instance,
                        const struct manifest *m)
{
    grant(g, keys_instance(env, instance), RIGHT_READ);
    grant(g, keys_instance_applied(env, instance), RIGHT_WRITE);
    grant(g, keys_instance_status(env, instance), RIGHT_WRITE);
    for (size_t i = 0; i < m->edits.count; i++)
        if (!strchr(m->edits.items[i], '/'))
            grant(g, keys_instance_config(env, instance, m->edits.items[i]), RIGHT_WRITE);
}

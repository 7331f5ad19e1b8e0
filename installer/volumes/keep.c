/* SPDX-License-Identifier: MIT */
/* What commands made stays when a file that does not name it is applied. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "volumes/volume.h"

static const char *const KEPT[] = {"volumes", "pools"};

/* Puts into `to` what only `from` has, map by map. */
static bool fill(struct node *to, const struct node *from)
{
    const struct node *n;
    bool changed = false;

    node_for_each (n, from) {
        struct node *there = node_get(to, n->key);

        if (!there) {
            node_set(to, n->key, node_copy(n));
            changed = true;
        } else if (there->kind == NODE_KIND_MAP && n->kind == NODE_KIND_MAP) {
            changed = fill(there, n) || changed;
        }
    }
    return changed;
}

static struct node *child(struct node *map, const char *key)
{
    struct node *n = node_get(map, key);

    return n && n->kind == NODE_KIND_MAP ? n : node_set(map, key, node_new_map());
}

/* `holder` has a map `config`: a component's, or an instance's override. */
static bool keep(struct node *holder, const struct node *old)
{
    const struct node *config = node_get(old, "config");
    bool changed = false;

    for (size_t i = 0; i < ARRAY_LEN(KEPT); i++) {
        const struct node *value = node_get(config, KEPT[i]);

        if (value && value->kind == NODE_KIND_MAP)
            changed = fill(child(child(holder, "config"), KEPT[i]), value) || changed;
    }
    return changed;
}

/* An instance that the file has no more does not make the file wrong. */
static bool has_instance(const struct spec *s, const char *name)
{
    return spec_instance(s, name) != NULL;
}

bool volume_keep(struct node *document, const struct spec *s, const struct node *old)
{
    struct node *components = node_get(document, "components");
    bool changed = false;

    for (size_t i = 0; i < s->component_count; i++) {
        const struct manifest *m = s->components[i].manifest;
        struct node *now = node_get(components, m->name);
        const struct node *before = node_get(node_get(old, "components"), m->name);
        const struct node *overrides = node_get(before, "overrides"), *o;

        if (!now || !before || (&s->components[i] != volume_provisioner(s) && !volume_is_driver(m)))
            continue;
        changed = keep(now, before) || changed;
        node_for_each (o, overrides) {
            if (node_find(o, "config.volumes") && has_instance(s, o->key))
                changed = keep(child(child(now, "overrides"), o->key), o) || changed;
        }
    }
    return changed;
}

/* SPDX-License-Identifier: MIT */
/*
 * Part of plan_up: what pools need. Which component makes pools and which one stores them follows
 * from manifests: the first has the role storage, and counts the other one's instances in its
 * shared values.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/object.h"
#include "plan/plan_up.h"

/* "4+2 c=5", of which so many parts are stored. 0: it is not written so. */
static int64_t policy_parts(const char *text)
{
    char *end = NULL;
    int64_t k = text ? strtol(text, &end, 10) : 0;

    return end && *end == '+' ? k + strtol(end + 1, NULL, 10) : 0;
}

/* Of so many instances at least one pool has its parts; 0: it does not say. */
static int64_t parts_of(const struct node *pool)
{
    const struct node *policies = node_get(pool, "policies"), *one;
    int64_t parts = node_get_int(pool, "size", 0), fewest = 0;

    if (node_get_bool(pool, "absent", false))
        return 0;
    if (node_text_is(pool, "kind", "erasure"))
        parts = node_get_int(pool, "k", 0) + node_get_int(pool, "m", 0);
    node_for_each (one, policies) {
        int64_t n = policy_parts(one->text);

        if (n && (!fewest || n < fewest))
            fewest = n;
    }
    return policies ? fewest : parts;
}

static bool counts(const struct manifest *m, const char *component)
{
    for (size_t i = 0; i < m->shared_count; i++)
        if (m->shared[i].kind == SHARED_KIND_COUNT &&
            strcmp(m->shared[i].component, component) == 0)
            return true;
    return false;
}

void builder_check_pools(struct builder *b, const char *component, const char *instance)
{
    const struct spec_component *left = spec_component(b->d->spec, component);
    int count = left ? left->count : 0;

    for (size_t i = 0; i < b->d->component_count; i++) {
        const struct spec_component *c = b->d->components[i].spec;
        const struct node *pool;

        if (c->manifest->role != MANIFEST_ROLE_STORAGE || !counts(c->manifest, component))
            continue;
        node_for_each (pool, node_get(c->config, "pools")) {
            int64_t parts = parts_of(pool);

            if (parts > count)
                problems_add(&b->wrong, NULL,
                             "%s cannot leave: %d %s left, pool %s needs %lld; keep more "
                             "`instances`, or let the pool have fewer copies or delete it first "
                             "(`slipway pool --help`)",
                             instance, count, component, pool->key, (long long)parts);
        }
    }
}

/* SPDX-License-Identifier: MIT */
/* Never two containers that write to one data volume. */
#include "base/mem.h"
#include "base/strv.h"
#include "plan/object.h"
#include "plan/plan_up.h"

/* The start of what takes a container's place in this plan and lets go of the volume, or PLAN_NONE:
 * then it keeps the volume. */
static long start_without(const struct builder *b, const struct node *c, const char *volume)
{
    const char *instance = object_label(c, LABEL_INSTANCE);
    const struct desired_instance *next = instance ? desired_find(b->d, instance) : NULL;

    return next && !strv_has(&next->spec->volumes, volume) ? b->start[next - b->d->items]
                                                           : PLAN_NONE;
}

void builder_order_after_users(struct builder *b, const struct desired_instance *it)
{
    long start = b->start[it - b->d->items];
    const struct node *c;

    for (size_t v = 0; start != PLAN_NONE && v < it->spec->volumes.count; v++)
        node_for_each (c, b->w->containers) {
            const char *volume = it->spec->volumes.items[v];

            if (object_writes_to(c, volume))
                plan_after(b->p, start, start_without(b, c, volume));
        }
}

/* The container that writes to a volume of an instance and is not its own; NULL: none. What only
 * runs beside it matters to one that is to be started. */
static const struct node *second_writer(const struct builder *b, const struct desired_instance *it,
                                        const char *volume, bool starts)
{
    const struct node *lists[] = {b->w->strays, b->w->containers, b->w->others}, *c;

    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        node_for_each (c, lists[i]) {
            bool stray = i == 0;
            bool own =
                i == 1 && node_text_is(node_get(c, "Labels"), LABEL_INSTANCE, it->spec->name);

            if (!own && (stray || (starts && observed_runs(c))) && object_writes_to(c, volume) &&
                (stray || start_without(b, c, volume) == PLAN_NONE))
                return c;
        }
    return NULL;
}

void builder_refuse_second_writer(struct builder *b, const struct desired_instance *it, bool starts)
{
    for (size_t v = 0; v < it->spec->volumes.count; v++) {
        const char *volume = it->spec->volumes.items[v];
        const struct node *c = second_writer(b, it, volume, starts);

        if (c)
            problems_add(
                &b->wrong, NULL,
                "container %s uses volume %s, the data of %s: two that write to it would "
                "destroy it; remove the container with `docker rm -f %s`, and `slipway up` "
                "makes %s",
                object_name(c), volume, it->spec->name, object_name(c), it->spec->name);
    }
}

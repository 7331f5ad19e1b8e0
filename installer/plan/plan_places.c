/* SPDX-License-Identifier: MIT */
/* Part of plan_up: a data volume keeps its place. The order of `volumes` in a document says which
 * is mounted where, and whoever turns it round would have a daemon take its log for its data. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"
#include "plan/body.h"
#include "plan/object.h"
#include "plan/plan_up.h"

/* All of these return the number of a volume among those of its instance, from 1; 0: not known. */

static int by_containers(const struct builder *b, const struct desired_instance *it,
                         const char *volume)
{
    const struct node *c, *m;

    node_for_each (c, b->w->containers) {
        if (!node_text_is(node_get(c, "Labels"), LABEL_INSTANCE, it->spec->name))
            continue;
        node_for_each (m, node_get(c, "Mounts")) {
            for (int n = 1; n <= it->spec->manifest->data_volumes_max; n++) {
                auto_free char *target = body_volume_target(it->spec->manifest, n);

                if (node_text_is(m, "Name", volume) && node_text_is(m, "Destination", target))
                    return n;
            }
        }
    }
    return 0;
}

/* Of another instance too: what was a log there is no data here. */
static int by_label(const struct builder *b, const struct node *have)
{
    const char *place = object_label(have, LABEL_PLACE);

    return place && object_is_ours(have, b->d->key->uuid) ? (int)strtol(place, NULL, 10) : 0;
}

static int by_document(const struct desired_instance *it, const struct node *document,
                       const char *volume)
{
    const struct manifest *m = it->spec->manifest;
    auto_strv struct strv names = {0};

    spec_volume_names(&names, document, m->name, it->spec->name, m->data_volumes_max);
    for (size_t i = 0; i < names.count; i++)
        if (strcmp(names.items[i], volume) == 0)
            return (int)i + 1;
    return 0;
}

/* What etcd has counts; the operator's copy is for when it does not answer. Borrowed, or NULL. */
static const struct node *document_in_force(struct builder *b)
{
    auto_free char *key = keys_spec(b->d->spec->name);
    const char *text = observed_value(b->w, key);
    struct err e;

    if (!text)
        return b->o->document;
    if (!b->in_force_read && json_parse(&b->in_force, key, text, strlen(text), &e) < 0)
        err_drop(&e, "the document in etcd");
    b->in_force_read = true;
    return node_get(b->in_force, "document");
}

static int number_of(struct builder *b, const struct desired_instance *it, const char *volume)
{
    const struct node *have = observed_named(b->w->volumes, volume);
    int n = have ? by_containers(b, it, volume) : 0;

    if (have && !n)
        n = by_label(b, have);
    return have && !n ? by_document(it, document_in_force(b), volume) : n;
}

void builder_refuse_moved(struct builder *b, const struct desired_instance *it)
{
    /* One that takes no second volume has one place. */
    bool several = it->spec->manifest->data_volumes_max > 1;

    for (size_t v = 0; several && v < it->spec->volumes.count; v++) {
        const char *name = it->spec->volumes.items[v];
        int is = number_of(b, it, name), wanted = (int)v + 1;

        if (!is || is == wanted)
            continue;
        auto_free char *there = body_volume_target(it->spec->manifest, is);
        auto_free char *here = body_volume_target(it->spec->manifest, wanted);

        problems_add(&b->wrong, NULL,
                     "volume %s is number %d of the volumes of %s, at %s, and the document has it "
                     "as number %d, at %s: data keeps its place, or one would be taken for the "
                     "other; write it as number %d",
                     name, is, it->spec->name, there, wanted, here, is);
    }
}

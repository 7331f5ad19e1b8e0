/* SPDX-License-Identifier: MIT */
/* One change of several volumes or snapshots: every complaint at once, and then nothing changes. */
#include <string.h>

#include "base/mem.h"
#include "volumes/volume.h"

struct complaints {
    struct strv lines;
    enum err_code code; /* of the first */
};

static void add(struct complaints *c, const struct err *e)
{
    for (size_t i = 0; i < c->lines.count; i++)
        if (strcmp(c->lines.items[i], e->msg) == 0)
            return;
    if (c->lines.count == 0)
        c->code = e->code;
    strv_add(&c->lines, e->msg);
}

static int finish(struct complaints *c, struct err *e)
{
    auto_free char *all = strv_join(&c->lines, "\n");
    size_t count = c->lines.count;

    strv_clear(&c->lines);
    return count ? err_set(e, c->code, "%s", all) : 0;
}

int volume_create_all(const struct volume_maps *m, const struct strv *names,
                      const struct volume_new *o, struct err *e)
{
    struct volume_new probe = *o;
    struct complaints c = {0};
    struct err one;
    int64_t bytes;
    bool odd = o->size && volume_parse_size(&bytes, o->size, &one) < 0;

    if (odd) {
        add(&c, &one);
        probe.size = "64TiB"; /* any that fits, so that the rest can be looked at */
    }
    for (size_t i = 0; i < names->count; i++)
        if (!(odd && node_get(m->volumes, names->items[i])) && /* which have another size */
            volume_create(m, names->items[i], &probe, &one) < 0)
            add(&c, &one);
    return finish(&c, e);
}

/* Whoever asks again waits for the answer. */
static bool is_ordered_gone(const struct volume_maps *m, const char *name, const char *snapshot)
{
    const struct node *volume = node_get(m->volumes, name);

    return !node_get_bool(volume, "absent", false) &&
           node_get_bool(node_get(node_get(volume, "snapshots"), snapshot), "absent", false);
}

int volume_snapshot_all(const struct volume_maps *m, const char *name, const struct strv *snapshots,
                        bool remove, struct err *e)
{
    struct complaints c = {0};
    struct err one;

    for (size_t i = 0; i < snapshots->count; i++)
        if (!(remove && is_ordered_gone(m, name, snapshots->items[i])) &&
            (remove ? volume_snapshot_delete : volume_snapshot)(m, name, snapshots->items[i],
                                                                &one) < 0)
            add(&c, &one);
    return finish(&c, e);
}

int volume_delete_all(const struct volume_maps *m, const struct strv *names, bool force,
                      struct err *e)
{
    struct complaints c = {0};
    struct err one;

    for (size_t i = 0; i < names->count; i++)
        if (!node_get_bool(node_get(m->volumes, names->items[i]), "absent", false) &&
            volume_delete(m, names->items[i], force, &one) < 0)
            add(&c, &one);
    return finish(&c, e);
}

/* SPDX-License-Identifier: MIT */
/* Orders: what is done once, and stays in the document until it is known to be done or refused. */
#include <string.h>

#include "base/mem.h"
#include "base/strv.h"
#include "conf/units.h"
#include "volumes/volume.h"

static bool is_gone(const struct node *entry)
{
    return node_get_bool(entry, "absent", false);
}

static const struct node *snapshots_of(const struct node *entry)
{
    return node_get(entry, "snapshots");
}

bool volume_has_order(const struct node *entry)
{
    const struct node *s;

    node_for_each (s, snapshots_of(entry)) {
        if (is_gone(s))
            return true;
    }
    return is_gone(entry) || node_get(entry, "rollback") || node_get_bool(entry, "shrink", false);
}

/* ---- carried out ---- */

static void forget_snapshots(struct node *entry)
{
    struct node *snapshots = node_get(entry, "snapshots");

    for (size_t i = snapshots ? snapshots->count : 0; i-- > 0;)
        if (is_gone(snapshots->items[i]))
            node_remove(snapshots, snapshots->items[i]->key);
    if (snapshots && snapshots->count == 0)
        node_remove(entry, "snapshots");
}

static int64_t bytes_of(const struct node *entry)
{
    const char *text = node_get_text(entry, "size");
    int64_t bytes;

    return text && units_parse_size(&bytes, text) ? bytes : 0;
}

/* Once gone back: a volume that was made smaller since has the size it had then. */
static void forget_rollback(struct node *entry)
{
    const char *to = node_get_text(node_get(entry, "rollback"), "to");
    const struct node *s = to ? node_get(snapshots_of(entry), to) : NULL;

    if (s && bytes_of(s) > bytes_of(entry))
        node_set_text(entry, "size", node_get_text(s, "size"));
    node_remove(entry, "rollback");
}

void volume_order_forget(struct node *map, struct node *entry)
{
    if (is_gone(entry)) {
        node_remove(map, entry->key);
        return;
    }
    forget_rollback(entry);
    forget_snapshots(entry);
    node_remove(entry, "shrink");
}

int volume_orders_forget(struct node *map)
{
    int count = 0;

    for (size_t i = map->count; i-- > 0;) {
        if (!volume_has_order(map->items[i]))
            continue;
        count++;
        volume_order_forget(map, map->items[i]);
    }
    return count;
}

void volume_forget(const struct volume_maps *m, const char *name)
{
    struct node *n = node_get(m->volumes, name);

    if (n && is_gone(n)) {
        node_remove(m->volumes, name);
        return;
    }
    if (n)
        node_remove(n, "shrink");
}

void volume_forget_snapshots(const struct volume_maps *m, const char *name,
                             const struct strv *snapshots)
{
    struct node *n = node_get(m->volumes, name), *there = node_get(n, "snapshots");

    for (size_t i = 0; there && i < snapshots->count; i++)
        if (is_gone(node_get(there, snapshots->items[i])))
            node_remove(there, snapshots->items[i]);
    if (there && there->count == 0)
        node_remove(n, "snapshots");
}

void volume_forget_rollback(const struct volume_maps *m, const char *name, int64_t serial)
{
    struct node *n = node_get(m->volumes, name);

    if (n && node_get_int(node_get(n, "rollback"), "serial", 0) == serial)
        forget_rollback(n);
}

/* ---- taken back ---- */

static void keep_snapshots(struct node *entry)
{
    struct node *s;

    node_for_each (s, node_get(entry, "snapshots")) {
        node_remove(s, "absent");
    }
}

char *volume_orders_drop(struct node *entry)
{
    const struct node *rollback = node_get(entry, "rollback"), *s;
    auto_strv struct strv kept = {0};
    auto_free char *names = NULL;
    char *said = NULL;

    node_for_each (s, snapshots_of(entry)) {
        if (is_gone(s))
            strv_add(&kept, s->key);
    }
    names = strv_join(&kept, ", ");
    if (is_gone(entry))
        said = mem_strdup("stays, the order to delete it");
    else if (rollback)
        said = mem_printf("stays as it is, the order to go back to snapshot %s",
                          node_get_text(rollback, "to"));
    else if (kept.count)
        said = mem_printf("keeps snapshot %s, the order to delete %s", names,
                          kept.count == 1 ? "it" : "them");
    keep_snapshots(entry);
    node_remove(entry, "absent");
    node_remove(entry, "force");
    node_remove(entry, "rollback");
    return said;
}

/* ---- a rollback whose answer is not there ---- */

int volume_refuse_rollback(const struct volume_maps *m, const char *name, const char *what,
                           struct err *e)
{
    const struct node *rollback = node_get(node_get(m->volumes, name), "rollback");
    const char *to = node_get_text(rollback, "to");

    return rollback
               ? err_set(e, ERR_CONFLICT,
                         "volume %s was ordered to go back to snapshot %s, which is not answered: "
                         "it could lose what is written from now on; before %s, `slipway volume "
                         "rollback %s --cancel` takes that back and keeps what is in it, and "
                         "`slipway volume rollback %s %s` goes back now",
                         name, to ? to : "?", what, name, name, to ? to : "?")
               : 0;
}

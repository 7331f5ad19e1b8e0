/* SPDX-License-Identifier: MIT */
#include "volumes/volume.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/volume_rules.h"
#include "conf/units.h"

int volume_check_name(const char *kind, const char *name, struct err *e)
{
    if (volume_name_is_allowed(name))
        return 0;
    return err_set(e, ERR_CONFIG, "%s \"%.80s\": %s", kind, name, VOLUME_NAME_RULE);
}

int volume_parse_size(int64_t *bytes, const char *text, struct err *e)
{
    if (!units_parse_size(bytes, text))
        return err_set(e, ERR_CONFIG, "\"%.40s\" is not a size; write it like 10GiB", text);
    if (!volume_size_is_in_range(*bytes))
        return err_set(e, ERR_CONFIG, "size %.40s: %s", text, VOLUME_SIZE_RULE);
    if (!volume_size_is_whole(*bytes))
        return err_set(e, ERR_CONFIG, "size %.40s: %s", text, VOLUME_SIZE_STEP_RULE);
    return 0;
}

/* ---- the entries ---- */

static bool is_gone(const struct node *entry)
{
    return node_get_bool(entry, "absent", false);
}

static int unknown(const struct node *map, const char *kind, const char *name, struct err *e)
{
    auto_strv struct strv names = {0};
    const struct node *n;
    auto_free char *hint = NULL;

    node_for_each (n, map) {
        if (!is_gone(n))
            strv_add(&names, n->key);
    }
    hint = strv_hint(&names, name);
    return err_set(e, ERR_NOTFOUND, "there is no %s %.80s%s", kind, name, hint);
}

int volume_find(struct node **out, const struct volume_maps *m, const char *name, struct err *e)
{
    struct node *n = node_get(m->volumes, name);

    if (!n || n->kind != NODE_KIND_MAP || is_gone(n))
        return unknown(m->volumes, "volume", name, e);
    *out = n;
    return 0;
}

static const char *pool_of(const struct node *volume)
{
    const char *pool = node_get_text(volume, "pool");

    return pool ? pool : VOLUME_POOL;
}

static int64_t size_of(const struct node *volume)
{
    const char *text = node_get_text(volume, "size");
    int64_t bytes;

    return text && units_parse_size(&bytes, text) ? bytes : 0;
}

static void set_size(struct node *map, int64_t bytes)
{
    char text[32];

    units_format_size(text, bytes);
    node_set_text(map, "size", text);
}

/* First attachment of a volume from `from` on, or NULL. */
static const struct node *attachment(const struct volume_maps *m, const char *name, size_t from)
{
    for (size_t i = from; m->attached && i < m->attached->count; i++) {
        const char *volume = node_get_text(m->attached->items[i], "volume");

        if (volume && strcmp(volume, name) == 0)
            return m->attached->items[i];
    }
    return NULL;
}

static int refuse_attached(const struct volume_maps *m, const char *name, const char *what,
                           struct err *e)
{
    const struct node *a = attachment(m, name, 0);

    return a ? err_set(e, ERR_CONFLICT,
                       "volume %s is attached to %s; `slipway volume detach %s` before %s", name,
                       node_get_text(a, "instance"), name, what)
             : 0;
}

/* Name of the first volume made from name@snapshot (snapshot NULL: any), or NULL. */
static const char *child_of(const struct volume_maps *m, const char *name, const char *snapshot)
{
    auto_free char *from = mem_printf("%s@%s", name, snapshot ? snapshot : "");
    const struct node *n;

    node_for_each (n, m->volumes) {
        const char *text = node_get_text(n, "from");
        const char *slash = text ? strchr(text, '/') : NULL;

        if (slash)
            text = slash + 1;
        if (text && !is_gone(n) &&
            (snapshot ? strcmp(text, from) == 0 : strncmp(text, from, strlen(from)) == 0))
            return n->key;
    }
    return NULL;
}

static int need_pool(const struct volume_maps *m, const char *pool, bool for_data, struct err *e)
{
    const struct node *n = node_get(m->pools, pool);
    const char *kind = node_get_text(n, "kind");

    if (!n || is_gone(n))
        return unknown(m->pools, "pool", pool, e);
    if (!for_data && kind && strcmp(kind, "erasure") == 0)
        return err_set(e, ERR_CONFIG,
                       "pool %s is erasure coded and holds only the data of volumes; name it with "
                       "--data-pool",
                       pool);
    return 0;
}

/* ---- create, resize, delete ---- */

/* Its deletion was ordered and is not answered. */
static int going(const char *name, const char *snapshot, struct err *e)
{
    return err_set(e, ERR_CONFLICT,
                   "snapshot %s of volume %s is about to be deleted; `slipway volume snapshot "
                   "--delete %s %s` waits until it is gone",
                   snapshot, name, name, snapshot);
}

/* One that can be used. */
static int need_snapshot(struct node **out, const struct node *volume, const char *name,
                         const char *snapshot, struct err *e)
{
    struct node *s = node_get(node_get(volume, "snapshots"), snapshot);

    if (!s)
        return err_set(e, ERR_NOTFOUND, "volume %s has no snapshot %.80s", name, snapshot);
    if (is_gone(s))
        return going(name, snapshot, e);
    *out = s;
    return 0;
}

/* The snapshot that "VOLUME@SNAPSHOT" or a template's name means. */
static int find_source(char **from, struct node **volume, struct node **snapshot,
                       const struct volume_maps *m, const char *word, struct err *e)
{
    const char *at = strchr(word, '@');
    auto_free char *name = at ? mem_strndup(word, (size_t)(at - word)) : mem_strdup(word);
    const char *point = at ? at + 1 : VOLUME_TEMPLATE;

    if (volume_find(volume, m, name, e) < 0)
        return -1;
    if (!at && !node_get_bool(*volume, "template", false))
        return err_set(
            e, ERR_CONFIG,
            "volume %s is not a template: name a snapshot, as %s@SNAPSHOT, or make it one "
            "with `slipway volume template %s`",
            name, name, name);
    if (need_snapshot(snapshot, *volume, name, point, e) < 0)
        return -1;
    *from = mem_printf("%s@%s", name, point);
    return 0;
}

/* The entry of a volume that is to be made. Owned. */
static int describe(struct node **out, const struct volume_maps *m, const char *name,
                    const struct volume_new *o, struct err *e)
{
    struct node *source = NULL, *snapshot = NULL;
    const char *pool = o->pool;
    auto_free char *from = NULL;
    int64_t size = 0, least = 0;

    if (o->from && find_source(&from, &source, &snapshot, m, o->from, e) < 0)
        return -1;
    if (o->size && volume_parse_size(&size, o->size, e) < 0)
        return -1;
    if (source) {
        least = size_of(snapshot) ? size_of(snapshot) : size_of(source);
        size = size ? size : least;
        pool = pool ? pool : pool_of(source);
    }
    if (size == 0)
        return err_set(e, ERR_CONFIG, "volume %s needs a size", name);
    if (size < least)
        return err_set(e, ERR_CONFIG, "volume %s cannot be smaller than %s", name, from);
    pool = pool ? pool : VOLUME_POOL;
    if (need_pool(m, pool, false, e) < 0 ||
        (o->data_pool && need_pool(m, o->data_pool, true, e) < 0))
        return -1;
    *out = node_new_map();
    node_set_text(*out, "pool", pool);
    set_size(*out, size);
    if (o->data_pool)
        node_set_text(*out, "data_pool", o->data_pool);
    if (from)
        node_set_text(*out, "from", from);
    return 0;
}

/* A volume that is there is well when it is what was asked for. */
static int compare(const struct node *there, const struct node *asked, const char *name,
                   struct err *e)
{
    const struct {
        const char *what, *has, *wanted;
    } parts[] = {
        {"size", node_get_text(there, "size"), node_get_text(asked, "size")},
        {"pool", pool_of(there), pool_of(asked)},
        {"data pool", node_get_text(there, "data_pool"), node_get_text(asked, "data_pool")},
        {"source", node_get_text(there, "from"), node_get_text(asked, "from")},
    };

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const char *has = parts[i].has ? parts[i].has : "";

        if (i == 0 ? size_of(there) == size_of(asked)
                   : strcmp(has, parts[i].wanted ? parts[i].wanted : "") == 0)
            continue;
        return err_set(e, ERR_CONFLICT, "there is a volume %s already, %s %s%s%s", name,
                       *has ? "with" : "without", parts[i].what, *has ? " " : "", has);
    }
    return 0;
}

int volume_create(const struct volume_maps *m, const char *name, const struct volume_new *o,
                  struct err *e)
{
    const struct node *there = node_get(m->volumes, name);
    auto_node struct node *entry = NULL;

    if (volume_check_name("volume", name, e) < 0)
        return -1;
    if (there && is_gone(there))
        return err_set(e, ERR_CONFLICT, "there is a volume %s already, about to be deleted", name);
    if (describe(&entry, m, name, o, e) < 0)
        return -1;
    if (there)
        return compare(there, entry, name, e);
    node_set(m->volumes, name, steal(entry));
    return 0;
}

int volume_resize(const struct volume_maps *m, const char *name, const char *size, bool force,
                  struct err *e)
{
    struct node *n;
    int64_t now, wanted;

    if (volume_find(&n, m, name, e) < 0 || volume_parse_size(&wanted, size, e) < 0)
        return -1;
    now = size_of(n);
    if (node_get_bool(n, "template", false))
        return err_set(e, ERR_CONFLICT, "volume %s is a template and does not change", name);
    if (wanted < now && !force) {
        char text[32];

        units_format_size(text, now);
        return err_set(e, ERR_CONFLICT,
                       "volume %s has %s: making it smaller cuts off data; --force does it", name,
                       text);
    }
    set_size(n, wanted);
    node_remove(n, "shrink");
    if (wanted < now)
        node_set_bool(n, "shrink", true);
    return 0;
}

static int refuse_children(const struct volume_maps *m, const char *name, const char *snapshot,
                           struct err *e)
{
    const char *child = child_of(m, name, snapshot);

    return child ? err_set(e, ERR_CONFLICT, "%s%s%s has the clone %s; delete that first", name,
                           snapshot ? "@" : "", snapshot ? snapshot : "", child)
                 : 0;
}

int volume_delete(const struct volume_maps *m, const char *name, bool force, struct err *e)
{
    struct node *n, *snapshots, *s;
    size_t count = 0;

    if (volume_find(&n, m, name, e) < 0 || refuse_attached(m, name, "deleting it", e) < 0 ||
        refuse_children(m, name, NULL, e) < 0)
        return -1;
    snapshots = node_get(n, "snapshots");
    node_for_each (s, snapshots) {
        if (!is_gone(s))
            count++;
    }
    if (count && !force)
        return err_set(e, ERR_CONFLICT, "volume %s has %zu snapshot%s; --force deletes %s too",
                       name, count, count == 1 ? "" : "s", count == 1 ? "it" : "them");
    /* They keep what is said of them, as the volume does: the order may be taken back. */
    node_for_each (s, snapshots) {
        node_set_bool(s, "absent", true);
    }
    node_set_bool(n, "absent", true);
    return 0;
}

/* ---- snapshots ---- */

int volume_snapshot(const struct volume_maps *m, const char *name, const char *snapshot,
                    struct err *e)
{
    struct node *n, *snapshots;

    if (volume_find(&n, m, name, e) < 0 || volume_check_name("snapshot", snapshot, e) < 0)
        return -1;
    snapshots = node_get(n, "snapshots");
    if (is_gone(node_get(snapshots, snapshot)))
        return going(name, snapshot, e);
    if (node_get(snapshots, snapshot))
        return err_set(e, ERR_CONFLICT, "volume %s has a snapshot %s already", name, snapshot);
    if (!snapshots || snapshots->kind != NODE_KIND_MAP)
        snapshots = node_set(n, "snapshots", node_new_map());
    set_size(node_set(snapshots, snapshot, node_new_map()), size_of(n));
    return 0;
}

static int find_snapshot(struct node **volume, const struct volume_maps *m, const char *name,
                         const char *snapshot, struct err *e)
{
    struct node *s;

    if (volume_find(volume, m, name, e) < 0)
        return -1;
    return need_snapshot(&s, *volume, name, snapshot, e);
}

int volume_snapshot_delete(const struct volume_maps *m, const char *name, const char *snapshot,
                           struct err *e)
{
    struct node *n;

    if (find_snapshot(&n, m, name, snapshot, e) < 0 || refuse_children(m, name, snapshot, e) < 0)
        return -1;
    if (node_get_bool(n, "template", false) && strcmp(snapshot, VOLUME_TEMPLATE) == 0)
        return err_set(e, ERR_CONFLICT, "volume %s is a template; this snapshot is what it is of",
                       name);
    if (node_text_is(node_get(n, "rollback"), "to", snapshot))
        return err_set(e, ERR_CONFLICT,
                       "volume %s was ordered to go back to snapshot %s, which is not answered; "
                       "`slipway volume rollback %s --cancel` takes that back",
                       name, snapshot, name);
    node_set_bool(node_get(node_get(n, "snapshots"), snapshot), "absent", true);
    return 0;
}

int volume_rollback(const struct volume_maps *m, const char *name, const char *snapshot,
                    int64_t serial, struct err *e)
{
    struct node *n, *r;

    if (find_snapshot(&n, m, name, snapshot, e) < 0 ||
        refuse_attached(m, name, "going back to a snapshot", e) < 0)
        return -1;
    node_remove(n, "formatting"); /* something else is in it then */
    r = node_set(n, "rollback", node_new_map());
    node_set_text(r, "to", snapshot);
    node_set_int(r, "serial", serial);
    return 0;
}

int volume_rollback_cancel(const struct volume_maps *m, const char *name, bool *was, struct err *e)
{
    struct node *n;

    if (volume_find(&n, m, name, e) < 0)
        return -1;
    *was = node_get(n, "rollback") != NULL;
    node_remove(n, "rollback");
    return 0;
}

int volume_template(const struct volume_maps *m, const char *name, struct err *e)
{
    struct node *n;

    if (volume_find(&n, m, name, e) < 0 ||
        refuse_attached(m, name, "making it a template", e) < 0 ||
        volume_refuse_rollback(m, name, "making it a template", e) < 0)
        return -1;
    if (node_get_bool(n, "template", false))
        return err_set(e, ERR_CONFLICT, "volume %s is a template already", name);
    if (volume_snapshot(m, name, VOLUME_TEMPLATE, e) < 0)
        return -1;
    node_set_bool(n, "template", true);
    return 0;
}

/* ---- attachments ---- */

static bool is_detaching(const struct node *attached)
{
    return node_get_bool(attached, "detaching", false);
}

int volume_attach(const struct volume_maps *m, struct node *served, const char *name,
                  const struct volume_attach *o, struct err *e)
{
    const struct node *a;
    struct node *n, *entry;

    if (volume_find(&n, m, name, e) < 0)
        return -1;
    for (size_t i = 0; (a = attachment(m, name, i)); i++) {
        bool reads = node_get_bool(a, "read_only", false);
        const char *where = node_get_text(a, "instance");

        if (strcmp(where, o->instance) == 0 && is_detaching(a))
            continue; /* the order is taken back by the entry below */
        if (strcmp(where, o->instance) == 0)
            return reads == o->read_only
                       ? 0
                       : err_set(e, ERR_CONFLICT,
                                 "volume %s is attached to %s already, for %s; `slipway volume "
                                 "detach %s` first",
                                 name, where, reads ? "reading" : "writing", name);
        if (is_detaching(a) && (!o->read_only || !reads))
            return err_set(e, ERR_CONFLICT,
                           "volume %s is still served by %s, which has not answered the order to "
                           "detach it; `slipway volume move %s --to %s --force` takes it over",
                           name, where, name, o->instance);
        if (!o->read_only || !reads)
            return err_set(e, ERR_CONFLICT,
                           "volume %s is attached to %s, and a volume has one writer; `slipway "
                           "volume move %s --to %s` hands it over",
                           name, where, name, o->instance);
    }
    if (volume_refuse_rollback(m, name, "attaching it", e) < 0)
        return -1;
    if (node_get_bool(n, "template", false) && !o->read_only)
        return err_set(e, ERR_CONFLICT,
                       "volume %s is a template; make a volume from it with `slipway volume create "
                       "NAME --from %s`, or attach it with --read-only",
                       name, name);
    entry = node_set(served, name, node_new_map());
    node_set_text(entry, "pool", pool_of(n));
    node_set_text(entry, "image", name);
    node_set_int(entry, "size", size_of(n));
    if (o->read_only)
        node_set_bool(entry, "read_only", true);
    if (o->take_over)
        node_set_int(entry, "take_over", o->take_over);
    return 0;
}

int volume_attachment(const char **out, const struct volume_maps *m, const char *name,
                      const char *instance, struct err *e)
{
    const struct node *a = NULL;

    *out = NULL;
    for (size_t i = 0; m->attached && i < m->attached->count; i++) {
        a = attachment(m, name, i);
        if (!a)
            break;
        if (a != m->attached->items[i])
            continue;
        if (instance && strcmp(node_get_text(a, "instance"), instance) != 0)
            continue;
        if (*out)
            return err_set(e, ERR_CONFLICT, "volume %s is attached to %s and to %s; say which",
                           name, *out, node_get_text(a, "instance"));
        *out = node_get_text(a, "instance");
    }
    if (!*out)
        return err_set(e, ERR_NOTFOUND, "volume %s is not attached%s%s", name,
                       instance ? " to " : "", instance ? instance : "");
    return 0;
}

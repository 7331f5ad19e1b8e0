/* SPDX-License-Identifier: MIT */
/* Which components make and serve volumes, who serves what; and pools. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "volumes/volume.h"
#include "volumes/policy.h"
#include "conf/units.h"

enum { PARTS_MAX = 32, PG_NUM_MAX = 65536 };

const struct spec_component *volume_provisioner(const struct spec *s)
{
    for (size_t i = 0; i < s->component_count; i++)
        if (s->components[i].manifest->role == MANIFEST_ROLE_STORAGE)
            return &s->components[i];
    return NULL;
}

bool volume_is_driver(const struct manifest *m)
{
    return m->role == MANIFEST_ROLE_DRIVER;
}

static void add_served(struct node *list, const struct spec *s, const struct spec_instance *i)
{
    const struct node *served = spec_value(s, i, "volumes"), *v;

    node_for_each (v, served) {
        const char *pool = node_get_text(v, "pool");
        struct node *n;

        n = node_add(list, node_new_map());
        node_set_text(n, "volume", node_get_text(v, "image") ? node_get_text(v, "image") : v->key);
        node_set_text(n, "instance", i->name);
        node_set_text(n, "component", i->manifest->name);
        node_set_text(n, "pool", pool ? pool : VOLUME_POOL);
        node_set_int(n, "size", node_get_int(v, "size", 0));
        node_set_bool(n, "read_only", node_get_bool(v, "read_only", false));
        if (node_get_bool(v, "absent", false))
            node_set_bool(n, "detaching", true);
    }
}

struct node *volume_attachments(const struct spec *s)
{
    struct node *list = node_new_list();

    for (size_t c = 0; c < s->component_count; c++)
        for (int i = 0; volume_is_driver(s->components[c].manifest) && i < s->components[c].count;
             i++)
            add_served(list, s, &s->components[c].instances[i]);
    return list;
}

/* "qemu" for "volumedriver-qemu" too. */
static bool is_called(const struct manifest *m, const char *word)
{
    const char *dash = strrchr(m->name, '-');

    return strcmp(m->name, word) == 0 || (dash && strcmp(dash + 1, word) == 0);
}

bool volume_driver_is(const struct spec_instance *i, const char *word)
{
    return volume_is_driver(i->manifest) &&
           (strcmp(i->name, word) == 0 || is_called(i->manifest, word));
}

static const struct spec_instance *least_used(const struct spec *s, const struct spec_component *c)
{
    const struct spec_instance *best = NULL;
    size_t least = 0;

    for (int i = 0; i < c->count; i++) {
        const struct node *served = spec_value(s, &c->instances[i], "volumes");
        size_t count = served ? served->count : 0;

        if (!best || count < least) {
            best = &c->instances[i];
            least = count;
        }
    }
    return best;
}

int volume_driver_find(const struct spec_instance **out, const struct spec *s, const char *word,
                       struct err *e)
{
    auto_strv struct strv names = {0};
    auto_free char *known = NULL;

    for (size_t c = 0; c < s->component_count; c++) {
        const struct spec_component *component = &s->components[c];

        if (!volume_is_driver(component->manifest))
            continue;
        strv_add(&names, component->manifest->name);
        if (is_called(component->manifest, word) && (*out = least_used(s, component)))
            return 0;
        for (int i = 0; i < component->count; i++)
            if (strcmp(component->instances[i].name, word) == 0) {
                *out = &component->instances[i];
                return 0;
            }
    }
    if (names.count == 0)
        return err_set(e, ERR_NOTFOUND, "%s has no volume driver; add one to its document",
                       s->name);
    known = strv_join(&names, ", ");
    return err_set(e, ERR_NOTFOUND, "%s has no volume driver %.80s; it has %s", s->name, word,
                   known);
}

/* ---- pools ---- */

int volume_pool_find(struct node **out, const struct volume_maps *m, const char *name,
                     struct err *e)
{
    auto_strv struct strv names = {0};
    const struct node *p;
    auto_free char *hint = NULL;

    *out = node_get(m->pools, name);
    if (*out && (*out)->kind == NODE_KIND_MAP && !node_get_bool(*out, "absent", false))
        return 0;
    *out = NULL;
    node_for_each (p, m->pools) {
        strv_add(&names, p->key);
    }
    hint = strv_hint(&names, name);
    return err_set(e, ERR_NOTFOUND, "there is no pool %.80s%s", name, hint);
}

static int check_number(const char *pool, const char *what, int64_t n, int64_t most, struct err *e)
{
    return n >= 0 && n <= most
               ? 0
               : err_set(e, ERR_CONFIG, "pool %s: %s is %" PRId64 "; 1 to %" PRId64 " are allowed",
                         pool, what, n, most);
}

/* quota: as it is written, when there is one. */
static int check_pool(char quota[32], const struct volume_maps *m, const char *name,
                      const struct volume_pool *o, struct err *e)
{
    const struct node *data = o->data_pool ? node_get(m->pools, o->data_pool) : NULL;
    int64_t parts = o->k ? o->k + o->m : o->size, bytes = 0;

    if (volume_check_name("pool", name, e) < 0 ||
        check_number(name, "size", o->size, PARTS_MAX, e) < 0 ||
        check_number(name, "k", o->k, PARTS_MAX, e) < 0 ||
        check_number(name, "m", o->m, PARTS_MAX, e) < 0 ||
        check_number(name, "pg_num", o->pg_num, PG_NUM_MAX, e) < 0)
        return -1;
    if ((o->k > 0) != (o->m > 0))
        return err_set(e, ERR_CONFIG, "pool %s: an erasure-coded pool needs k and m", name);
    if (o->k && o->size)
        return err_set(e, ERR_CONFIG, "pool %s: either size, or k and m", name);
    if (o->k == 1)
        return err_set(e, ERR_CONFIG, "pool %s: k is 1; 2 or more are allowed", name);
    if (o->min_size < 0 || (parts && o->min_size > parts))
        return err_set(e, ERR_CONFIG, "pool %s: min_size %" PRId64 " of %" PRId64 " copies", name,
                       o->min_size, parts);
    if (o->data_pool && !data)
        return err_set(e, ERR_NOTFOUND, "there is no pool %.80s", o->data_pool);
    if (o->quota && (!units_parse_size(&bytes, o->quota) || bytes == 0))
        return err_set(e, ERR_CONFIG, "\"%.40s\" is not a size; write it like 10GiB", o->quota);
    units_format_size(quota, bytes);
    return 0;
}

/* *erasure: one of them cuts into parts, so the pool holds only the data of volumes. */
static int add_policies(struct node *list, bool *erasure, const struct volume_pool *o,
                        struct err *e)
{
    *erasure = o->k > 0;
    if (o->policies && o->policies->count && (o->k || o->m || o->size || o->min_size))
        return err_set(e, ERR_USAGE, "either policies, or size, min-size, k and m");
    for (size_t i = 0; o->policies && i < o->policies->count; i++) {
        struct volume_policy p;
        auto_free char *text = NULL;

        if (volume_policy_parse(&p, o->policies->items[i], e) < 0)
            return -1;
        text = volume_policy_format(&p);
        node_add_text(list, text);
        *erasure = *erasure || p.k > 1;
    }
    return 0;
}

int volume_pool_create(const struct volume_maps *m, const char *name, const struct volume_pool *o,
                       struct err *e)
{
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {{"size", o->size},
                   {"k", o->k},
                   {"m", o->m},
                   {"min_size", o->min_size},
                   {"pg_num", o->pg_num}};
    char quota[32];
    const struct {
        const char *key, *value;
    } texts[] = {{"quota", o->quota ? quota : NULL},
                 {"data_pool", o->data_pool},
                 {"compression", o->compression},
                 {"compression_mode", o->compression_mode}};
    auto_node struct node *policies = node_new_list();
    bool erasure;
    auto_node struct node *n = node_new_map();
    const struct node *there = node_get(m->pools, name);

    if (check_pool(quota, m, name, o, e) < 0 || add_policies(policies, &erasure, o, e) < 0)
        return -1;
    if (erasure && o->data_pool)
        return err_set(e, ERR_CONFIG, "pool %s: an erasure-coded pool has no data pool", name);
    if (o->compression_mode && !o->compression)
        return err_set(e, ERR_USAGE, "--compression-mode needs --compression");
    if (erasure)
        node_set_text(n, "kind", "erasure");
    if (policies->count)
        node_set(n, "policies", steal(policies));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (numbers[i].value)
            node_set_int(n, numbers[i].key, numbers[i].value);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].value)
            node_set_text(n, texts[i].key, texts[i].value);
    node_set_text(n, "application", "rbd");
    /* An order to delete it that was refused, and that nobody took back, ends by this one. */
    if (there && !node_get_bool(there, "absent", false))
        return node_equal(there, n)
                   ? 0
                   : err_set(e, ERR_CONFLICT, "there is a pool %s already, of another kind", name);
    node_set(m->pools, name, steal(n));
    return 0;
}

static bool uses_pool(const struct node *entry, const char *pool)
{
    const char *own = node_get_text(entry, "pool"), *data = node_get_text(entry, "data_pool");

    return strcmp(own ? own : VOLUME_POOL, pool) == 0 || (data && strcmp(data, pool) == 0);
}

int volume_pool_delete(const struct volume_maps *m, const char *name, struct err *e)
{
    struct node *pool = node_get(m->pools, name);
    const struct node *n;

    /* Somebody who ordered it before may not have waited for the answer. */
    if (!node_get_bool(pool, "absent", false) && volume_pool_find(&pool, m, name, e) < 0)
        return -1;
    node_for_each (n, m->volumes) {
        if (uses_pool(n, name))
            return err_set(e, ERR_CONFLICT, "pool %s holds the volume %s; delete that first", name,
                           n->key);
    }
    node_for_each (n, m->pools) {
        const char *data = node_get_text(n, "data_pool");

        if (data && strcmp(data, name) == 0)
            return err_set(e, ERR_CONFLICT, "pool %s keeps its data in pool %s", n->key, name);
    }
    node_set_bool(pool, "absent", true);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* From the environment file to a spec: components in their order, each checked. */
#include <string.h>

#include "base/mem.h"
#include "conf/units.h"
#include "conf/yaml.h"
#include "model/spec.h"
#include "model/spec_build.h"

/* Default, then profile, then document. */
static struct node *merge_config(struct spec_build *b, const struct spec_component *c)
{
    struct node *out = node_new_map();
    const char *name = b->spec->profile ? b->spec->profile : "";
    const struct node *profile = node_get(c->manifest->profiles, name);

    for (size_t i = 0; i < c->manifest->config_count; i++) {
        const struct config_key *key = &c->manifest->config[i];
        const struct node *given = node_get(c->given, key->name);
        const struct node *named = node_get(profile, key->name);
        const struct node *fallback = named ? named : key->fallback;
        struct node *value = given ? node_copy(given) : NULL;

        if (!value && fallback)
            value = manifest_value(key, fallback, b->problems);
        if (value)
            node_append(out, key->name, value);
    }
    return out;
}

static void check_count(struct spec_build *b, const struct spec_component *c)
{
    const struct manifest *m = c->manifest;
    const struct node *at = node_get(spec_build_place(b, m->name), "instances");
    auto_free char *count = mem_printf("%d", c->count);

    if (c->count < m->instances_min || c->count > m->instances_max) {
        problems_add(b->problems, at, "instances: %s: %s may have %d to %d", count, m->name,
                     m->instances_min, m->instances_max);
    } else if (m->instances_allowed.count > 0 && !strv_has(&m->instances_allowed, count)) {
        auto_free char *all = strv_join(&m->instances_allowed, ", ");

        problems_add(b->problems, at, "instances: %s: %s may have one of %s", count, m->name, all);
    }
}

static void check_required(struct spec_build *b, const struct spec_component *c)
{
    for (size_t i = 0; i < c->manifest->config_count; i++) {
        const struct config_key *key = &c->manifest->config[i];
        bool missing = key->required && !node_get(c->config, key->name);

        for (int k = 0; missing && k < c->count; k++) {
            if (node_get(c->instances[k].overrides, key->name))
                continue;
            problems_add_key(b->problems, spec_build_place(b, c->manifest->name),
                             "%s: the configuration key \"%s\" is required: %s", c->manifest->name,
                             key->name, key->help);
            break;
        }
    }
}

/* Where the value of a key stands that counts for an instance, or the nearest place to it. */
static const struct node *place_of(const struct spec_build *b, const struct spec_instance *i,
                                   const char *key)
{
    const struct node *component = spec_build_place(b, i->manifest->name);
    const struct node *own = node_get(node_get(component, "overrides"), i->name);
    const struct node *at = node_get(node_get(own, "config"), key);

    if (!at)
        at = node_get(node_get(component, "config"), key);
    if (!at)
        at = node_get(own, "memory");
    return at ? at : node_get(component, "memory");
}

static const struct node *value_of(const struct spec_component *c, const struct spec_instance *i,
                                   const char *key)
{
    const struct node *own = node_get(i->overrides, key);

    return own ? own : node_get(c->config, key);
}

/* What it has to stay below; false where there is nothing to compare. */
static bool find_bound(int64_t *out, char **text, const struct spec_component *c,
                       const struct spec_instance *i, const struct config_key *key)
{
    const struct config_key *other = manifest_config(c->manifest, key->less_than);
    const struct node *value = other ? value_of(c, i, other->name) : NULL;
    char size[32];

    if (other && value && node_to_int(value, out)) {
        auto_node struct node *said = manifest_value_document(other, value);

        *text = manifest_value_text(said);
        return true;
    }
    if (other || i->memory_bytes == 0)
        return false;
    *out = i->memory_bytes;
    units_format_size(size, i->memory_bytes);
    *text = mem_strdup(size);
    return true;
}

static void check_less_than(struct spec_build *b, const struct spec_component *c,
                            const struct config_key *key)
{
    for (int k = 0; k < c->count; k++) {
        const struct spec_instance *i = &c->instances[k];
        const struct node *value = value_of(c, i, key->name), *at = place_of(b, i, key->name);
        auto_free char *bound = NULL, *given = NULL;
        auto_node struct node *said = NULL;
        int64_t have, limit;

        if (!value || !node_to_int(value, &have) || !find_bound(&limit, &bound, c, i, key) ||
            have < limit)
            continue;
        said = manifest_value_document(key, value);
        given = manifest_value_text(said);
        problems_add(b->problems, at ? at : spec_build_place(b, c->manifest->name),
                     "%s: %s is %s, and must be less than its %s, %s", i->name, key->name, given,
                     key->less_than, bound);
        return;
    }
}

static void build_component(struct spec_build *b, const struct raw_component *raw,
                            const struct manifest *m)
{
    struct spec_component *c = &b->spec->components[b->spec->component_count++];

    c->manifest = m;
    c->count = raw->instances ? raw->instances : m->instances_default;
    check_count(b, c);
    c->given = spec_build_config(b, m, raw->config);
    c->config = merge_config(b, c);
    spec_build_instances(b, c, raw);
    check_required(b, c);
    for (size_t i = 0; i < m->config_count; i++)
        if (m->config[i].less_than)
            check_less_than(b, c, &m->config[i]);
}

static const struct raw_component *find_raw(const struct spec_build *b, const char *name)
{
    for (size_t i = 0; i < b->raw.component_count; i++)
        if (strcmp(b->raw.components[i].name, name) == 0)
            return &b->raw.components[i];
    return NULL;
}

/* True when everything that m needs is placed; what is not in the document was complained about. */
static bool is_next(const struct spec_build *b, const struct manifest *m)
{
    for (size_t i = 0; i < m->requires.count; i++)
        if (find_raw(b, m->requires.items[i]) && !spec_component(b->spec, m->requires.items[i]))
            return false;
    return true;
}

/* etcd holds the configuration of all others and is first; the rest after what it requires, by
 * name. */
static void build_components(struct spec_build *b)
{
    const struct catalog *catalog = b->catalog;

    b->spec->components = mem_array(catalog->count, sizeof(struct spec_component));
    const struct manifest *m = catalog_find(catalog, "etcd");
    if (m && find_raw(b, "etcd"))
        build_component(b, find_raw(b, "etcd"), m);
    for (bool placed = true; placed;) {
        placed = false;
        for (size_t i = 0; i < catalog->count && !placed; i++) {
            m = catalog->items[i];
            const struct raw_component *raw = find_raw(b, m->name);
            placed = raw && !spec_component(b->spec, m->name) && is_next(b, m);
            if (placed)
                build_component(b, raw, m);
        }
    }
}

static void check_presence(struct spec_build *b)
{
    const struct node *components = node_get(b->root, "components");

    if (components && !find_raw(b, "etcd"))
        problems_add_key(b->problems, components,
                         "components: etcd is missing, which holds the configuration: add \"etcd: "
                         "{instances: 1}\"");
    auto_strv struct strv known = {0};
    catalog_names(b->catalog, &known);
    for (size_t i = 0; i < b->raw.component_count; i++) {
        const char *name = b->raw.components[i].name;
        const struct manifest *m = catalog_find(b->catalog, name);

        if (catalog_is_broken(b->catalog, name))
            problems_add_key(b->problems, spec_build_place(b, name),
                             "components: the folder of %s, or of a component that it needs, has "
                             "problems, which `slipway catalog list` names",
                             name);
        else if (!m)
            schema_unknown(b->problems, spec_build_place(b, name), "component", &known);
        for (size_t k = 0; m && k < m->requires.count; k++) {
            const struct manifest *needed = catalog_find(b->catalog, m->requires.items[k]);

            if (needed && strcmp(needed->name, "etcd") != 0 && !find_raw(b, needed->name))
                problems_add_key(b->problems, spec_build_place(b, name),
                                 "%s needs %s, which is missing: add \"%s: {instances: %d}\" under "
                                 "components",
                                 name, needed->name, needed->name, needed->instances_default);
        }
    }
}

static void check_roles(struct spec_build *b)
{
    const char *first = NULL;

    for (size_t i = 0; i < b->raw.component_count; i++) {
        const char *name = b->raw.components[i].name;
        const struct manifest *m = catalog_find(b->catalog, name);

        if (!m || m->role != MANIFEST_ROLE_STORAGE)
            continue;
        if (first)
            problems_add_key(b->problems, spec_build_place(b, name),
                             "components: %s and %s both have the role storage; an environment "
                             "has one such component",
                             first, name);
        first = first ? first : name;
    }
}

struct spec *spec_decode(const struct node *root, const struct catalog *c, struct problems *p)
{
    size_t before = p->count;
    struct spec_build b = {.catalog = c, .root = root, .problems = p};

    b.spec = mem_alloc(sizeof(*b.spec));
    schema_decode(&b.raw, &spec_table, root, p);
    spec_build_head(&b);
    check_presence(&b);
    check_roles(&b);
    build_components(&b);
    spec_build_check_all(&b);
    if (p->count == before) {
        b.spec->document = spec_build_document(&b);
    } else {
        spec_free(b.spec);
        b.spec = NULL;
    }
    schema_clear(&b.raw, &spec_table);
    return b.spec;
}

struct spec *spec_load(const char *path, const struct catalog *c, struct problems *p)
{
    const struct problems_part part = problems_begin(p, path);
    auto_node struct node *root = yaml_read_input(p, path);
    struct spec *s = root ? spec_decode(root, c, p) : NULL;

    if (problems_end(p, &part))
        return s;
    spec_free(s); /* good but for the text */
    return NULL;
}

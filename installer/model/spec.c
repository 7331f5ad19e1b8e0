/* SPDX-License-Identifier: MIT */
#include "model/spec.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/yaml.h"
#include "model/spec_build.h"

const struct node *spec_build_place(const struct spec_build *b, const char *name)
{
    return node_get(node_get(b->root, "components"), name);
}

struct node *spec_build_config(struct spec_build *b, const struct manifest *m,
                               const struct node *given)
{
    struct node *out = node_new_map();
    struct strv auto_strv known = {0};
    manifest_config_names(m, &known);
    auto_free char *what = mem_printf("configuration key of %s", m->name);
    const struct node *value;
    node_for_each (value, given) {
        const struct config_key *key = manifest_config(m, value->key);
        struct node *checked = key ? manifest_value(key, value, b->problems) : NULL;
        if (!key)
            schema_unknown(b->problems, value, what, &known);
        else if (checked)
            node_append(out, key->name, checked);
    }
    return out;
}

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
    struct strv auto_strv known = {0};
    catalog_names(b->catalog, &known);
    for (size_t i = 0; i < b->raw.component_count; i++) {
        const char *name = b->raw.components[i].name;
        const struct manifest *m = catalog_find(b->catalog, name);
        if (!m)
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

struct spec *spec_decode(const struct node *root, const struct catalog *c, struct problems *p)
{
    size_t before = p->count;
    struct spec_build b = {.catalog = c, .root = root, .problems = p};
    b.spec = mem_alloc(sizeof(*b.spec));
    schema_decode(&b.raw, &spec_table, root, p);
    spec_build_head(&b);
    check_presence(&b);
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
    const char *name = p->name;
    size_t before = p->count;
    p->name = path;
    auto_node struct node *root = yaml_read_file(p, path);
    bool good = root && p->count == before;
    struct spec *s = root ? spec_decode(root, c, p) : NULL;
    p->name = name;
    if (!good) {
        spec_free(s);
        s = NULL;
    }
    return s;
}

static void clear_instance(struct spec_instance *i)
{
    free(i->name);
    node_free(i->overrides);
    strv_clear(&i->volumes);
    for (size_t k = 0; k < i->port_count; k++)
        free(i->ports[k].address);
    free(i->ports);
}

void spec_free(struct spec *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->component_count; i++) {
        struct spec_component *c = &s->components[i];
        for (int k = 0; c->instances && k < c->count; k++)
            clear_instance(&c->instances[k]);
        free(c->instances);
        node_free(c->config);
        node_free(c->given);
    }
    free(s->components);
    free(s->name);
    free(s->profile);
    free(s->subnet);
    free(s->base_image);
    free(s->mirror);
    node_free(s->document);
    free(s);
}

const struct spec_component *spec_component(const struct spec *s, const char *name)
{
    for (size_t i = 0; i < s->component_count; i++)
        if (strcmp(s->components[i].manifest->name, name) == 0)
            return &s->components[i];
    return NULL;
}

const struct spec_instance *spec_instance(const struct spec *s, const char *name)
{
    for (size_t i = 0; i < s->component_count; i++)
        for (int k = 0; k < s->components[i].count; k++)
            if (strcmp(s->components[i].instances[k].name, name) == 0)
                return &s->components[i].instances[k];
    return NULL;
}

const struct node *spec_value(const struct spec *s, const struct spec_instance *i, const char *key)
{
    const struct node *own = node_get(i->overrides, key);
    const struct spec_component *c = spec_component(s, i->manifest->name);
    return own ? own : c ? node_get(c->config, key) : NULL;
}

bool spec_name_is_valid(const char *name)
{
    return schema_word_is_valid(SCHEMA_WORD_NAME, name);
}

/* SPDX-License-Identifier: MIT */
/* The way back: the normalised document, and the document's JSON Schema. */
#include <string.h>

#include "base/mem.h"
#include "conf/units.h"
#include "model/spec_build.h"

static void set_size(struct node *map, const char *key, int64_t bytes)
{
    char text[32];

    units_format_size(text, bytes);
    node_set_text(map, key, text);
}

/* Appends `child` unless it is empty. */
static void set_filled(struct node *map, const char *key, struct node *child)
{
    if (child->count > 0)
        node_set(map, key, child);
    else
        node_free(child);
}

static struct node *config_document(const struct manifest *m, const struct node *config)
{
    struct node *out = node_new_map();
    const struct node *value;

    node_for_each (value, config) {
        node_append(out, value->key,
                    manifest_value_document(manifest_config(m, value->key), value));
    }
    node_sort(out);
    return out;
}

static struct node *ports_document(const struct spec_instance *i)
{
    struct node *out = node_new_map();

    for (size_t n = 0; n < i->port_count; n++) {
        const struct spec_port *p = &i->ports[n];
        bool six = strchr(p->address, ':') != NULL;
        auto_free char *text =
            mem_printf("%s%s%s:%d", six ? "[" : "", p->address, six ? "]" : "", p->host_port);

        for (size_t k = 0; k < i->manifest->port_count; k++)
            if (i->manifest->ports[k].port == p->port && !p->fallback)
                node_set_text(out, i->manifest->ports[k].name, text);
    }
    node_sort(out);
    return out;
}

static struct node *override_document(const struct spec_instance *i, const struct raw_override *raw)
{
    struct node *out = node_new_map(), *volumes = node_new_list();

    set_filled(out, "config", config_document(i->manifest, i->overrides));
    set_filled(out, "ports", ports_document(i));
    for (size_t n = 0; n < raw->volumes.count; n++)
        node_add_text(volumes, raw->volumes.items[n]);
    set_filled(out, "volumes", volumes);
    if (raw->memory)
        set_size(out, "memory", raw->memory);
    return out;
}

static struct node *component_document(const struct spec_component *c,
                                       const struct raw_component *raw)
{
    struct node *out = node_new_map(), *overrides = node_new_map();

    node_set_int(out, "instances", c->count);
    set_filled(out, "config", config_document(c->manifest, c->given));
    if (raw->memory)
        set_size(out, "memory", raw->memory);
    if (raw->volumes)
        node_set_int(out, "volumes", raw->volumes);
    if (raw->ssh)
        node_set(out, "ssh", node_copy(raw->ssh));
    for (int k = 0; k < c->count; k++)
        for (size_t n = 0; n < raw->override_count; n++)
            if (strcmp(raw->overrides[n].name, c->instances[k].name) == 0)
                set_filled(overrides, c->instances[k].name,
                           override_document(&c->instances[k], &raw->overrides[n]));
    set_filled(out, "overrides", overrides);
    return out;
}

struct node *spec_build_document(const struct spec_build *b)
{
    const struct spec *s = b->spec;
    struct node *out = node_new_map();

    node_set_int(out, "slipway", 1);
    node_set_text(out, "name", s->name);
    node_set_text(out, "profile", s->profile);
    node_set_text(out, "base_image", s->base_image);
    if (s->mirror)
        node_set_text(out, "mirror", s->mirror);
    if (s->subnet)
        node_set_text(node_set(out, "network", node_new_map()), "subnet", s->subnet);
    if (b->raw.ssh)
        node_set(out, "ssh", node_copy(b->raw.ssh));
    struct node *components = node_set(out, "components", node_new_map());
    for (size_t i = 0; i < s->component_count; i++)
        for (size_t k = 0; k < b->raw.component_count; k++)
            if (strcmp(b->raw.components[k].name, s->components[i].manifest->name) == 0)
                node_set(components, b->raw.components[k].name,
                         component_document(&s->components[i], &b->raw.components[k]));
    return out;
}

static struct node *config_schema(const struct manifest *m)
{
    struct node *out = manifest_schema(m);

    node_remove(out, "$schema");
    node_remove(out, "title");
    node_remove(out, "description");
    return out;
}

/* `generic` is the schema of any component, from the table; this one knows its manifest. */
static struct node *component_schema(const struct node *generic, const struct manifest *m)
{
    struct node *out = node_copy(generic);

    node_set_text(out, "description", m->summary);
    struct node *instances = node_find(out, "properties.instances");
    node_set_int(instances, "minimum", m->instances_min);
    node_set_int(instances, "maximum", m->instances_max);
    node_set_int(instances, "default", m->instances_default);
    if (m->instances_allowed.count > 0) {
        struct node *allowed = node_set(instances, "enum", node_new_list());

        for (size_t i = 0; i < m->instances_allowed.count; i++) {
            struct node *n = node_add_text(allowed, m->instances_allowed.items[i]);

            n->kind = NODE_KIND_NUMBER;
        }
    }
    struct node *own = node_find(out, "properties.overrides.additionalProperties.properties");
    node_set(node_get(out, "properties"), "config", config_schema(m));
    node_set(own, "config", config_schema(m));
    struct node *ports = node_new_map();
    for (size_t i = 0; i < m->port_count; i++) {
        struct node *port = node_set(ports, m->ports[i].name, node_new_map());

        node_set_text(port, "description", m->ports[i].help);
    }
    node_set_bool(node_get(own, "ports"), "additionalProperties", false);
    node_set(node_get(own, "ports"), "properties", ports);
    return out;
}

struct node *spec_schema(const struct catalog *c)
{
    struct node *out = schema_json(&spec_table);

    node_set_text(out, "$schema", "http://json-schema.org/draft-07/schema#");
    node_set_text(out, "title", "Slipway environment");
    struct node *components = node_find(out, "properties.components");
    auto_node struct node *generic = node_copy(node_get(components, "additionalProperties"));
    struct node *known = node_new_map();
    for (size_t i = 0; i < c->count; i++)
        node_set(known, c->items[i]->name, component_schema(generic, c->items[i]));
    node_set(components, "properties", known);
    node_set_bool(components, "additionalProperties", false);
    node_add_text(node_set(components, "required", node_new_list()), "etcd");
    return out;
}

void spec_print_format(struct buf *b)
{
    schema_print(b, &spec_table);
}

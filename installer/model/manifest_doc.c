/* SPDX-License-Identifier: MIT */
/* What a manifest says, as documentation and as JSON Schema. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/crontab.h"
#include "conf/json.h"
#include "conf/schema.h"
#include "conf/units.h"
#include "model/manifest_table.h"

static const char *short_type(enum value_type type)
{
    static const char *const names[] = {"string",   "int",      "float", "bool", "size",
                                        "duration", "schedule", "enum",  "list", "map"};

    return names[type];
}

static const char *apply_text(enum apply_kind kind)
{
    static const char *const names[] = {"restart", "reload", "live"};

    return names[kind];
}

static void format_limit(char out[32], const struct config_key *k, int64_t value)
{
    if (k->type == VALUE_TYPE_SIZE)
        units_format_size(out, value);
    else if (k->type == VALUE_TYPE_DURATION)
        units_format_duration(out, value);
    else
        snprintf(out, 32, "%" PRId64, value);
}

static void print_range(struct buf *b, const struct config_key *k)
{
    char min[32], max[32];

    format_limit(min, k, k->min);
    format_limit(max, k, k->max);
    if (k->has_min && k->has_max)
        buf_printf(b, " %s to %s", min, max);
    else if (k->has_min)
        buf_printf(b, " from %s", min);
    else if (k->has_max)
        buf_printf(b, " up to %s", max);
    if (k->less_than)
        buf_printf(b, ", less than %s", k->less_than);
    for (size_t i = 0; i < k->values.count; i++)
        buf_printf(b, "%s %s", i ? "," : ":", k->values.items[i]);
}

static void print_config(struct buf *b, const struct manifest *m)
{
    if (m->config_count == 0)
        return;
    buf_puts(
        b, "\n## Configuration\n\n| key | type | default | a change | |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < m->config_count; i++) {
        const struct config_key *k = &m->config[i];

        buf_printf(b, "| `%s` | %s", k->name, short_type(k->type));
        print_range(b, k);
        auto_free char *fallback = k->fallback ? manifest_value_text(k->fallback) : NULL;
        buf_printf(b, " | %s | %s%s | %s |\n",
                   k->required ? "required"
                   : fallback  ? fallback
                               : "",
                   apply_text(k->apply), k->grows_only ? ", grows only" : "", k->help);
    }
}

static void print_profiles(struct buf *b, const struct manifest *m)
{
    const struct node *profile, *value;

    if (!m->profiles || m->profiles->count == 0)
        return;
    buf_puts(b, "\n## Profiles\n");
    node_for_each (profile, m->profiles) {
        buf_printf(b, "\n- `%s`:", profile->key);
        node_for_each (value, profile) {
            auto_free char *text = manifest_value_text(value);

            buf_printf(b, "%s `%s: %s`", i_value ? "," : "", value->key, text);
        }
    }
    buf_putc(b, '\n');
}

static void print_numbers(struct buf *b, const struct manifest *m)
{
    static const char *const roles[] = {[MANIFEST_ROLE_STORAGE] = "storage",
                                        [MANIFEST_ROLE_DRIVER] = "driver",
                                        [MANIFEST_ROLE_CONTROLLER] = "controller"};

    buf_printf(b, "- image: `%s`\n- instances: %d", m->image, m->instances_default);
    if (m->instances_allowed.count > 0) {
        auto_free char *all = strv_join(&m->instances_allowed, ", ");

        buf_printf(b, " (one of %s)\n", all);
    } else {
        buf_printf(b, " (%d to %d)\n", m->instances_min, m->instances_max);
    }
    if (m->role)
        buf_printf(b, "- role: %s\n", roles[m->role]);
    if (m->requires.count > 0) {
        auto_free char *all = strv_join(&m->requires, ", ");

        buf_printf(b, "- needs: %s\n", all);
    }
    if (m->data_root) {
        buf_printf(b, "- data: %d volume%s under `%s`", m->data_volumes,
                   m->data_volumes > 1 ? "s" : "", m->data_root);
        if (m->data_volumes_max > m->data_volumes)
            buf_printf(b, ", up to %d", m->data_volumes_max);
        buf_putc(b, '\n');
    }
    auto_free char *capabilities = strv_join(&m->run.capabilities, ", ");
    auto_free char *devices = strv_join(&m->run.devices, ", ");
    if (*capabilities)
        buf_printf(b, "- extra capabilities: %s\n", capabilities);
    if (*devices)
        buf_printf(b, "- devices of the host: %s\n", devices);
    const struct node *right;
    node_for_each (right, m->run.only_with) {
        buf_printf(b, "- `%s` only while `%s` is true\n", right->key, right->text);
    }
    if (m->run.shared_mount)
        buf_puts(b, "- mounts made inside are seen on the host\n");
    if (m->run.engine_socket)
        buf_puts(b, "- it has the socket of Docker, and so the host\n");
}

void manifest_print_doc(struct buf *b, const struct manifest *m)
{
    static const char *const kinds[] = {
#define SECRET(kind, name, ...) name,
#include "model/secrets.def"
#undef SECRET
    };

    buf_printf(b, "# %s\n\n%s\n\n", m->name, m->summary);
    print_numbers(b, m);
    print_config(b, m);
    print_profiles(b, m);
    if (m->port_count > 0)
        buf_puts(b, "\n## Ports\n\n");
    for (size_t i = 0; i < m->port_count; i++)
        buf_printf(b, "- `%s`: %d, %s\n", m->ports[i].name, m->ports[i].port, m->ports[i].help);
    if (m->secret_count > 0)
        buf_puts(b, "\n## Secrets\n\n");
    for (size_t i = 0; i < m->secret_count; i++)
        buf_printf(b, "- `%s`: %s%s\n", m->secrets[i].name, kinds[m->secrets[i].kind],
                   m->secrets[i].scope == SECRET_SCOPE_ENVIRONMENT
                       ? ", the same for every component that declares it"
                       : "");
}

static void add_limits(struct node *out, const struct config_key *k, const char *min,
                       const char *max)
{
    if (k->has_min)
        node_set_int(out, min, k->min);
    if (k->has_max)
        node_set_int(out, max, k->max);
}

static void add_pattern(struct node *out, const char *pattern)
{
    struct node *types = node_set(out, "type", node_new_list());

    node_add_text(types, "string");
    node_add_text(types, "integer");
    node_set_text(out, "pattern", pattern);
}

struct node *manifest_key_schema(const struct config_key *k)
{
    auto_free char *help = mem_printf("%s%s", k->help, k->grows_only ? " (grows only)" : "");
    struct node *out = node_new_map();

    node_set_text(out, "description", help);
    if (k->fallback)
        node_set(out, "default", node_copy(k->fallback));
    switch (k->type) {
    case VALUE_TYPE_INT:
    case VALUE_TYPE_FLOAT:
        node_set_text(out, "type", k->type == VALUE_TYPE_INT ? "integer" : "number");
        add_limits(out, k, "minimum", "maximum");
        break;
    case VALUE_TYPE_BOOL:
        node_set_text(out, "type", "boolean");
        break;
    case VALUE_TYPE_SIZE:
        add_pattern(out, UNITS_SIZE_PATTERN);
        break;
    case VALUE_TYPE_DURATION:
        node_set_text(out, "type", "string");
        node_set_text(out, "pattern", "^[0-9]+(ms|s|min|h|d)$");
        break;
    case VALUE_TYPE_SCHEDULE: {
        struct node *types = node_set(out, "type", node_new_list());

        node_add_text(types, "string");
        node_add_text(types, "null");
        node_set_text(out, "pattern", CRONTAB_PATTERN);
        break;
    }
    case VALUE_TYPE_LIST:
        node_set_text(out, "type", "array");
        add_limits(out, k, "minItems", "maxItems");
        break;
    case VALUE_TYPE_MAP:
        node_set_text(out, "type", "object");
        add_limits(out, k, "minProperties", "maxProperties");
        break;
    case VALUE_TYPE_ENUM: {
        struct node *values = node_set(out, "enum", node_new_list());

        for (size_t i = 0; i < k->values.count; i++)
            node_add_text(values, k->values.items[i]);
        break;
    }
    default: { /* a text may be written without quotes, whatever it looks like */
        struct node *types = node_set(out, "type", node_new_list());

        node_add_text(types, "string");
        node_add_text(types, "number");
        node_add_text(types, "boolean");
    }
    }
    return out;
}

struct node *manifest_schema(const struct manifest *m)
{
    struct node *out = node_new_map();

    node_set_text(out, "$schema", "http://json-schema.org/draft-07/schema#");
    node_set_text(out, "title", m->name);
    node_set_text(out, "description", m->summary);
    node_set_text(out, "type", "object");
    node_set_bool(out, "additionalProperties", false);
    struct node *properties = node_set(out, "properties", node_new_map());
    for (size_t i = 0; i < m->config_count; i++)
        node_set(properties, m->config[i].name, manifest_key_schema(&m->config[i]));
    return out;
}

/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "conf/schema.h"
#include "conf/units.h"

static const char *type_name(enum schema_type type)
{
    static const char *const names[] = {
        [SCHEMA_TYPE_STRING] = "text",       [SCHEMA_TYPE_INT] = "whole number",
        [SCHEMA_TYPE_BOOL] = "true, false",  [SCHEMA_TYPE_SIZE] = "size",
        [SCHEMA_TYPE_DURATION] = "duration", [SCHEMA_TYPE_MODE] = "octal mode",
        [SCHEMA_TYPE_ENUM] = "one of",       [SCHEMA_TYPE_STRINGS] = "list of texts",
        [SCHEMA_TYPE_ANY] = "any value",     [SCHEMA_TYPE_LIST] = "list",
        [SCHEMA_TYPE_DICT] = "map",          [SCHEMA_TYPE_TABLE] = "map",
        [SCHEMA_TYPE_ENTRIES] = "map",
    };

    return names[type];
}

static void print_rows(struct buf *b, const struct schema *s, const char *prefix)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct schema_row *r = &s->rows[i];

        buf_printf(b, "| `%s%s` | %s", prefix, r->key, r->values ? "one of" : type_name(r->type));
        for (size_t v = 0; r->values && r->values[v]; v++)
            buf_printf(b, "%s %s", v ? "," : "", r->values[v]);
        buf_printf(b, " | %s | %s |\n",
                   r->required   ? "required"
                   : r->fallback ? r->fallback
                                 : "",
                   r->help);
        if (!r->table)
            continue;
        bool entries = r->type == SCHEMA_TYPE_ENTRIES;
        auto_free char *inner = entries ? mem_printf("%s%s.<%s>.", prefix, r->key, r->table->entry)
                                        : mem_printf("%s%s.", prefix, r->key);
        print_rows(b, r->table, inner);
    }
}

void schema_print(struct buf *b, const struct schema *s)
{
    buf_puts(b, "| key | type | default | |\n|---|---|---|---|\n");
    print_rows(b, s, "");
}

static void add_types(struct node *out, const char *first, const char *second)
{
    struct node *types = node_set(out, "type", node_new_list());

    node_add_text(types, first);
    node_add_text(types, second);
}

static void describe_entries(struct node *out, const struct schema_row *r)
{
    node_set_text(out, "type", "object");
    struct node *each = schema_json(r->table);
    add_types(each, "object", "null");
    node_set(out, "additionalProperties", each);
}

static void describe_scalar(struct node *out, const struct schema_row *r)
{
    switch (r->type) {
    case SCHEMA_TYPE_INT:
        node_set_text(out, "type", "integer");
        if (r->max != 0) {
            node_set_int(out, "minimum", r->min);
            node_set_int(out, "maximum", r->max);
        }
        break;
    case SCHEMA_TYPE_BOOL:
        node_set_text(out, "type", "boolean");
        break;
    case SCHEMA_TYPE_SIZE:
        add_types(out, "integer", "string");
        node_set_text(out, "pattern", UNITS_SIZE_PATTERN);
        break;
    case SCHEMA_TYPE_DURATION:
        node_set_text(out, "type", "string");
        node_set_text(out, "pattern", "^[0-9]+(ms|s|min|h|d)$");
        break;
    default:
        node_set_text(out, "type", "string");
    }
}

static struct node *describe_row(const struct schema_row *r)
{
    struct node *out = r->type == SCHEMA_TYPE_TABLE ? schema_json(r->table) : node_new_map();

    node_set_text(out, "description", r->help);
    if (r->fallback)
        node_set_text(out, "default", r->fallback);
    if (r->type == SCHEMA_TYPE_ENTRIES) {
        describe_entries(out, r);
    } else if (r->type == SCHEMA_TYPE_DICT) {
        node_set_text(out, "type", "object");
    } else if (r->type == SCHEMA_TYPE_LIST || r->type == SCHEMA_TYPE_STRINGS) {
        node_set_text(out, "type", "array");
    } else if (r->values) {
        struct node *values = node_set(out, "enum", node_new_list());

        for (size_t i = 0; r->values[i]; i++)
            node_add_text(values, r->values[i]);
    } else if (r->type != SCHEMA_TYPE_ANY && r->type != SCHEMA_TYPE_TABLE) {
        describe_scalar(out, r);
    }
    return out;
}

struct node *schema_json(const struct schema *s)
{
    struct node *out = node_new_map();

    node_set_text(out, "type", "object");
    node_set_bool(out, "additionalProperties", false);
    struct node *required = node_new_list();
    struct node *properties = node_set(out, "properties", node_new_map());
    for (size_t i = 0; i < s->count; i++) {
        node_set(properties, s->rows[i].key, describe_row(&s->rows[i]));
        if (s->rows[i].required)
            node_add_text(required, s->rows[i].key);
    }
    if (required->count > 0)
        node_set(out, "required", required);
    else
        node_free(required);
    return out;
}

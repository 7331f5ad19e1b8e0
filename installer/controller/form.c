/* SPDX-License-Identifier: MIT */
#include "controller/form.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/camel.h"

enum { DEPTH_MAX = 16 };
#define REF "#/components/schemas/"

struct look {
    const struct node *schemas;
    struct problems *p;
    int depth;
};

static const struct node *resolve(const struct node *schemas, const struct node *schema)
{
    const char *ref = node_get_text(schema, "$ref");

    return ref ? node_get(schemas, ref + strlen(REF)) : schema;
}

static const char *type_of(const struct node *n)
{
    switch (n->kind) {
    case NODE_KIND_NULL:
        return "null";
    case NODE_KIND_BOOL:
        return "boolean";
    case NODE_KIND_NUMBER:
        return n->text[strcspn(n->text, ".eE")] ? "number" : "integer";
    case NODE_KIND_STRING:
        return "string";
    case NODE_KIND_LIST:
        return "array";
    default:
        return "object";
    }
}

/* ---- one value ---- */

static void check_enum(struct look *l, const struct node *schema, const struct node *value,
                       const char *where)
{
    auto_strv struct strv allowed = {0};
    const struct node *n;

    node_for_each (n, node_get(schema, "enum")) {
        if (value->text && strcmp(n->text, value->text) == 0)
            return;
        strv_add(&allowed, n->text);
    }
    auto_free char *text = strv_join(&allowed, ", ");

    problems_add(l->p, NULL, "%s: must be one of %s", where, text);
}

static void check_text(struct look *l, const struct node *schema, const struct node *value,
                       const char *where)
{
    int64_t len = (int64_t)strlen(value->text);
    int64_t min = node_get_int(schema, "minLength", 0);
    int64_t max = node_get_int(schema, "maxLength", INT64_MAX);

    if (len < min)
        problems_add(l->p, NULL, "%s: must have %lld bytes at least", where, (long long)min);
    if (len > max)
        problems_add(l->p, NULL, "%s: must have %lld bytes at most", where, (long long)max);
}

static void check_number(struct look *l, const struct node *schema, const struct node *value,
                         const char *where)
{
    int64_t min = node_get_int(schema, "minimum", INT64_MIN), number;
    int64_t max = node_get_int(schema, "maximum", INT64_MAX);

    if (!node_to_int(value, &number) || number < min || number > max)
        problems_add(l->p, NULL, "%s: must be a whole number from %lld to %lld", where,
                     (long long)min, (long long)max);
}

static void check(struct look *l, const struct node *schema, const struct node *value,
                  const char *where);

static void check_items(struct look *l, const struct node *schema, const struct node *value,
                        const char *where)
{
    int64_t max = node_get_int(schema, "maxItems", INT64_MAX);
    const struct node *items = node_get(schema, "items"), *n;
    size_t i = 0;

    if ((int64_t)value->count > max) {
        problems_add(l->p, NULL, "%s: must have %lld items at most", where, (long long)max);
        return;
    }
    node_for_each (n, value) {
        auto_free char *at = mem_printf("%s[%zu]", where, i++);

        if (items)
            check(l, items, n, at);
    }
}

static void check_map(struct look *l, const struct node *schema, const struct node *value,
                      const char *where)
{
    const struct node *properties = node_get(schema, "properties"), *n;
    bool closed = !node_get_bool(schema, "additionalProperties", true);

    node_for_each (n, node_get(schema, "required")) {
        if (!node_get(value, n->text))
            problems_add(l->p, NULL, "%s.%s: is missing", where, n->text);
    }
    node_for_each (n, value) {
        const struct node *of = node_get(properties, n->key);
        auto_free char *at = mem_printf("%.100s.%.100s", where, n->key);

        if (of)
            check(l, of, n, at);
        else if (closed)
            problems_add(l->p, NULL, "%s: there is no such field", at);
    }
}

static void check(struct look *l, const struct node *schema, const struct node *value,
                  const char *where)
{
    const char *type, *is = type_of(value);

    schema = resolve(l->schemas, schema);
    type = node_get_text(schema, "type");
    if (l->depth >= DEPTH_MAX) {
        problems_add(l->p, NULL, "%s: is nested too deeply", where);
        return;
    }
    if (type && strcmp(type, is) != 0) {
        problems_add(l->p, NULL, "%s: must be of type %s, not %s", where, type, is);
        return;
    }
    l->depth++;
    if (node_get(schema, "enum"))
        check_enum(l, schema, value, where);
    if (value->kind == NODE_KIND_STRING)
        check_text(l, schema, value, where);
    if (value->kind == NODE_KIND_NUMBER)
        check_number(l, schema, value, where);
    if (value->kind == NODE_KIND_LIST)
        check_items(l, schema, value, where);
    if (value->kind == NODE_KIND_MAP)
        check_map(l, schema, value, where);
    l->depth--;
}

void form_check(const struct node *schemas, const char *name, const struct node *value,
                struct problems *p)
{
    struct look l = {.schemas = schemas, .p = p};

    check(&l, node_get(schemas, name), value, "body");
}

/* ---- what is not kept ---- */

struct node *form_redact(const struct node *schemas, const char *name, const struct node *value)
{
    struct node *copy = node_copy(value);
    const struct node *schema = node_get(schemas, name), *n;

    node_for_each (n, node_get(schema, "properties")) {
        if (node_get_bool(n, "writeOnly", false) && node_get(copy, n->key))
            node_set_text(copy, n->key, "[redacted]");
    }
    return copy;
}

void form_camel(struct node *n)
{
    camel_names(n);
}

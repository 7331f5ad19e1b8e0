/* SPDX-License-Identifier: MIT */
#include "conf/schema.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/mem.h"
#include "conf/text.h"
#include "conf/units.h"

enum { STRINGS_MAX = 1000 };

void schema_describe(char out[80], const struct node *n)
{
    switch (n->kind) {
    case NODE_KIND_NULL:
        snprintf(out, 80, "nothing");
        break;
    case NODE_KIND_LIST:
        snprintf(out, 80, "a list");
        break;
    case NODE_KIND_MAP:
        snprintf(out, 80, "a map");
        break;
    default:
        snprintf(out, 80, "\"%.*s\"%s", (int)text_cut(n->text, 40), n->text,
                 strlen(n->text) > 40 ? "..." : "");
    }
}

static const char *label(const struct node *n)
{
    return n->key ? n->key : "item";
}

static void expected(struct problems *p, const struct node *n, const char *what)
{
    char there[80];

    schema_describe(there, n);
    problems_add(p, n, "%s: expected %s, not %s", label(n), what, there);
}

static bool is_scalar(const struct node *n)
{
    return n->kind != NODE_KIND_NULL && n->kind != NODE_KIND_LIST && n->kind != NODE_KIND_MAP;
}

void schema_unknown(struct problems *p, const struct node *at, const char *what,
                    const struct strv *known)
{
    auto_free char *hint = strv_hint(known, at->key);
    auto_free char *all = strv_join(known, ", ");

    problems_add_key(p, at, "unknown %s \"%s\"%s; allowed: %s", what, at->key, hint,
                     known->count ? all : "none");
}

static bool read_word(const struct node *n, enum schema_word word, struct problems *p)
{
    if (!is_scalar(n)) {
        expected(p, n, "a text");
        return false;
    }
    if (schema_word_is_valid(word, n->text))
        return true;
    expected(p, n, schema_word_help(word));
    return false;
}

static bool in_range(const struct schema_row *r, int64_t value, const struct node *n,
                     struct problems *p)
{
    if (r->max == 0 || (value >= r->min && value <= r->max))
        return true;
    char min[32], max[32];
    void (*format)(char[32], int64_t) =
        r->type == SCHEMA_TYPE_SIZE ? units_format_size : units_format_duration;
    if (r->type == SCHEMA_TYPE_INT) {
        snprintf(min, sizeof(min), "%" PRId64, r->min);
        snprintf(max, sizeof(max), "%" PRId64, r->max);
    } else {
        format(min, r->min);
        format(max, r->max);
    }
    problems_add(p, n, "%s: %s is not between %s and %s", label(n), n->text, min, max);
    return false;
}

static void read_int(int *out, const struct schema_row *r, const struct node *n, struct problems *p)
{
    int64_t value;

    if (!node_to_int(n, &value))
        expected(p, n, "a whole number");
    else if (r->max == 0 && (value < INT_MIN || value > INT_MAX))
        problems_add(p, n, "%s: %s is too large", label(n), n->text);
    else if (in_range(r, value, n, p))
        *out = (int)value;
}

static void read_quantity(int64_t *out, const struct schema_row *r, const struct node *n,
                          struct problems *p)
{
    bool size = r->type == SCHEMA_TYPE_SIZE;
    int64_t value;
    bool good = is_scalar(n) &&
                (size ? units_parse_size(&value, n->text) : units_parse_duration(&value, n->text));

    if (!good)
        expected(p, n, size ? UNITS_SIZE_HELP : UNITS_DURATION_HELP);
    else if (in_range(r, value, n, p))
        *out = value;
}

static void read_bool(bool *out, const struct node *n, struct problems *p)
{
    if (n->kind == NODE_KIND_BOOL)
        *out = strcmp(n->text, "true") == 0;
    else
        expected(p, n, "true or false");
}

static void read_mode(mode_t *out, const struct node *n, struct problems *p)
{
    size_t len = is_scalar(n) ? strlen(n->text) : 0;

    if (len < 3 || len > 4 || strspn(n->text, "01234567") != len)
        expected(p, n, "an octal file mode like \"0644\"");
    else
        *out = (mode_t)strtoul(n->text, NULL, 8);
}

static void read_enum(int *out, const struct schema_row *r, const struct node *n,
                      struct problems *p)
{
    auto_strv struct strv known = {0};

    for (int i = 0; r->values[i]; i++) {
        if (is_scalar(n) && strcmp(n->text, r->values[i]) == 0) {
            *out = r->numbers ? r->numbers[i] : i;
            return;
        }
        strv_add(&known, r->values[i]);
    }
    auto_free char *all = strv_join(&known, ", ");
    auto_free char *what = mem_printf("one of %s", all);
    expected(p, n, what);
}

static void read_string(void *out, const struct schema_row *r, const struct node *n,
                        struct problems *p)
{
    int index = -1;
    struct schema_row choice = {.values = r->values};

    if (r->values)
        read_enum(&index, &choice, n, p);
    if (r->values ? index < 0 : !read_word(n, r->word, p))
        return;
    char *text = mem_strdup(n->text);
    memcpy(out, &text, sizeof(text));
}

static void read_strings(struct strv *out, const struct schema_row *r, const struct node *n,
                         struct problems *p)
{
    if (n->kind == NODE_KIND_NULL)
        return;
    if (n->kind != NODE_KIND_LIST) {
        expected(p, n, "a list of texts");
        return;
    }
    if (n->count > STRINGS_MAX) {
        problems_add(p, n, "%s: more than %d items", label(n), STRINGS_MAX);
        return;
    }
    const struct node *item;
    node_for_each (item, n) {
        if (!read_word(item, r->word, p))
            continue;
        if (strv_has(out, item->text))
            problems_add(p, item, "%s: \"%s\" is listed twice", label(n), item->text);
        else
            strv_add(out, item->text);
    }
}

static void read_entries(char *base, const struct schema_row *r, const struct node *n,
                         struct problems *p)
{
    if (n->kind == NODE_KIND_NULL)
        return;
    if (n->kind != NODE_KIND_MAP) {
        expected(p, n, "a map");
        return;
    }
    const struct schema *s = r->table;
    char *entries = mem_array(n->count, s->size);
    memcpy(base + r->offset, &entries, sizeof(entries));
    memcpy(base + r->count_offset, &n->count, sizeof(n->count));
    for (size_t i = 0; i < n->count; i++) {
        const struct node *child = n->items[i];
        char *name = mem_strdup(child->key);

        memcpy(entries + i * s->size + s->name_offset, &name, sizeof(name));
        if (!schema_word_is_valid(s->word, name))
            problems_add_key(p, child, "%s name \"%s\": expected %s", s->entry, name,
                             schema_word_help(s->word));
        schema_decode(entries + i * s->size, s, child, p);
    }
}

static void read_tree(struct node **out, const struct schema_row *r, const struct node *n,
                      struct problems *p)
{
    if (n->kind == NODE_KIND_NULL)
        return;
    if (r->type == SCHEMA_TYPE_LIST && n->kind != NODE_KIND_LIST)
        expected(p, n, "a list");
    else if (r->type == SCHEMA_TYPE_DICT && n->kind != NODE_KIND_MAP)
        expected(p, n, "a map");
    else
        *out = node_copy(n);
}

static void read_row(char *base, const struct schema_row *r, const struct node *n,
                     struct problems *p)
{
    void *field = base + r->offset;

    switch (r->type) {
    case SCHEMA_TYPE_STRING:
        read_string(field, r, n, p);
        break;
    case SCHEMA_TYPE_INT:
        read_int(field, r, n, p);
        break;
    case SCHEMA_TYPE_BOOL:
        read_bool(field, n, p);
        break;
    case SCHEMA_TYPE_SIZE:
    case SCHEMA_TYPE_DURATION:
        read_quantity(field, r, n, p);
        break;
    case SCHEMA_TYPE_MODE:
        read_mode(field, n, p);
        break;
    case SCHEMA_TYPE_ENUM:
        read_enum(field, r, n, p);
        break;
    case SCHEMA_TYPE_STRINGS:
        read_strings(field, r, n, p);
        break;
    case SCHEMA_TYPE_TABLE:
        schema_decode(base, r->table, n, p);
        break;
    case SCHEMA_TYPE_ENTRIES:
        read_entries(base, r, n, p);
        break;
    default:
        read_tree(field, r, n, p);
    }
}

static const struct schema_row *find_row(const struct schema *s, const char *key)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->rows[i].key, key) == 0)
            return &s->rows[i];
    return NULL;
}

static void check_keys(const struct schema *s, const struct node *root, struct problems *p)
{
    auto_strv struct strv known = {0};

    for (size_t i = 0; i < s->count; i++)
        strv_add(&known, s->rows[i].key);
    const struct node *child;
    node_for_each (child, root) {
        if (!find_row(s, child->key))
            schema_unknown(p, child, "key", &known);
    }
}

/* A row without a value: its default goes the same way as a written one; inner tables have their
 * own. */
static void read_default(char *base, const struct schema_row *r, struct problems *p)
{
    auto_node struct node *empty = node_new(NODE_KIND_NULL);

    if (r->type == SCHEMA_TYPE_TABLE) {
        schema_decode(base, r->table, empty, p);
    } else if (r->fallback) {
        bool truth = r->type == SCHEMA_TYPE_BOOL;
        auto_node struct node *n =
            truth ? node_new_bool(strcmp(r->fallback, "true") == 0) : node_new_string(r->fallback);

        read_row(base, r, n, p);
    }
}

void schema_decode(void *out, const struct schema *s, const struct node *root, struct problems *p)
{
    if (root->kind != NODE_KIND_MAP && root->kind != NODE_KIND_NULL) {
        expected(p, root, "a map");
        return;
    }
    check_keys(s, root, p);
    for (size_t i = 0; i < s->count; i++) {
        const struct schema_row *r = &s->rows[i];
        const struct node *n = node_get(root, r->key);

        if (n)
            read_row(out, r, n, p);
        else if (r->required)
            problems_add(p, root->line ? root : NULL, "the key \"%s\" is missing: %s", r->key,
                         r->help);
        else
            read_default(out, r, p);
    }
}

static void clear_entries(char *base, const struct schema_row *r)
{
    char *entries;
    size_t count;

    memcpy(&entries, base + r->offset, sizeof(entries));
    memcpy(&count, base + r->count_offset, sizeof(count));
    for (size_t i = 0; entries && i < count; i++) {
        char *name;

        memcpy(&name, entries + i * r->table->size + r->table->name_offset, sizeof(name));
        free(name);
        schema_clear(entries + i * r->table->size, r->table);
    }
    free(entries);
    memset(base + r->offset, 0, sizeof(void *));
    memset(base + r->count_offset, 0, sizeof(count));
}

/* Only for rows whose field is a pointer: an int may be the last one of its struct. */
static void *pointer_at(const char *field)
{
    void *pointer;

    memcpy(&pointer, field, sizeof(pointer));
    return pointer;
}

void schema_clear(void *out, const struct schema *s)
{
    char *base = out;

    for (size_t i = 0; i < s->count; i++) {
        const struct schema_row *r = &s->rows[i];
        char *field = base + r->offset;

        if (r->type == SCHEMA_TYPE_STRING)
            free(pointer_at(field));
        else if (r->type == SCHEMA_TYPE_ANY || r->type == SCHEMA_TYPE_LIST ||
                 r->type == SCHEMA_TYPE_DICT)
            node_free(pointer_at(field));
        else if (r->type == SCHEMA_TYPE_STRINGS)
            strv_clear((struct strv *)(void *)field);
        else if (r->type == SCHEMA_TYPE_TABLE)
            schema_clear(base, r->table);
        else if (r->type == SCHEMA_TYPE_ENTRIES)
            clear_entries(base, r);
    }
}

/* SPDX-License-Identifier: MIT */
#include "conf/node.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct node *node_new(enum node_kind kind)
{
    struct node *n = mem_alloc(sizeof(*n));

    n->kind = kind;
    return n;
}

static struct node *new_scalar(enum node_kind kind, const char *text)
{
    struct node *n = node_new(kind);

    n->text = mem_strdup(text);
    return n;
}

struct node *node_new_string(const char *text)
{
    return new_scalar(NODE_KIND_STRING, text);
}

struct node *node_new_number(int64_t value)
{
    struct node *n = node_new(NODE_KIND_NUMBER);

    n->text = mem_printf("%" PRId64, value);
    return n;
}

struct node *node_new_bool(bool value)
{
    return new_scalar(NODE_KIND_BOOL, value ? "true" : "false");
}

struct node *node_new_list(void)
{
    return node_new(NODE_KIND_LIST);
}

struct node *node_new_map(void)
{
    return node_new(NODE_KIND_MAP);
}

void node_free(struct node *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->count; i++)
        node_free(n->items[i]);
    free(n->items);
    free(n->text);
    free(n->key);
    free(n);
}

void node_cleanup(struct node **n)
{
    node_free(*n);
}

/* The array has room for the next power of two, so that no capacity has to be kept. */
static struct node *append(struct node *parent, struct node *child)
{
    size_t count = parent->count;

    if ((count & (count - 1)) == 0)
        parent->items = mem_grow(parent->items, count ? count * 2 : 1, sizeof(*parent->items));
    parent->items[parent->count++] = child;
    return child;
}

struct node *node_copy(const struct node *n)
{
    if (!n)
        return NULL;
    struct node *copy = node_new(n->kind);
    copy->text = mem_strdup(n->text);
    copy->key = mem_strdup(n->key);
    copy->line = n->line;
    copy->column = n->column;
    copy->key_line = n->key_line;
    copy->key_column = n->key_column;
    for (size_t i = 0; i < n->count; i++)
        append(copy, node_copy(n->items[i]));
    return copy;
}

static bool equal_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

bool node_equal(const struct node *a, const struct node *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind || a->count != b->count)
        return false;
    if (a->kind == NODE_KIND_NULL)
        return true;
    if (a->kind != NODE_KIND_LIST && a->kind != NODE_KIND_MAP)
        return equal_text(a->text, b->text);
    for (size_t i = 0; i < a->count; i++) {
        const struct node *other = b->items[i];

        if (a->kind == NODE_KIND_MAP && !equal_text(a->items[i]->key, other->key))
            other = node_get(b, a->items[i]->key);
        if (!node_equal(a->items[i], other))
            return false;
    }
    return true;
}

struct node *node_get(const struct node *n, const char *key)
{
    if (!n || n->kind != NODE_KIND_MAP)
        return NULL;
    for (size_t i = 0; i < n->count; i++) {
        const char *have = n->items[i]->key;

        /* Most differ in the first letter, and much of what is done at all is done here. */
        if (*have == *key && strcmp(have, key) == 0)
            return n->items[i];
    }
    return NULL;
}

const char *node_get_text(const struct node *n, const char *key)
{
    const struct node *child = node_get(n, key);

    return child && child->kind != NODE_KIND_NULL ? child->text : NULL;
}

bool node_text_is(const struct node *n, const char *key, const char *value)
{
    const char *text = node_get_text(n, key);

    return text && strcmp(text, value) == 0;
}

bool node_to_int(const struct node *n, int64_t *out)
{
    if (!n || !n->text || (n->kind != NODE_KIND_NUMBER && n->kind != NODE_KIND_STRING))
        return false;
    const char *digits = n->text + (n->text[0] == '-');
    size_t len = strspn(digits, "0123456789");
    if (len == 0 || digits[len] != '\0')
        return false;
    errno = 0;
    long long value = strtoll(n->text, NULL, 10);
    if (errno != 0)
        return false;
    *out = value;
    return true;
}

bool node_text_is_number(const char *text)
{
    static const char digits[] = "0123456789";
    const char *p = text + (*text == '-');
    size_t whole = strspn(p, digits);

    if (whole == 0 || (whole > 1 && *p == '0'))
        return false;
    p += whole;
    if (*p == '.') {
        size_t fraction = strspn(++p, digits);

        if (fraction == 0)
            return false;
        p += fraction;
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '+' || *p == '-';
        size_t exponent = strspn(p, digits);
        if (exponent == 0)
            return false;
        p += exponent;
    }
    return *p == '\0';
}

int64_t node_get_int(const struct node *n, const char *key, int64_t fallback)
{
    int64_t value;

    return node_to_int(node_get(n, key), &value) ? value : fallback;
}

bool node_get_bool(const struct node *n, const char *key, bool fallback)
{
    const struct node *child = node_get(n, key);

    return child && child->kind == NODE_KIND_BOOL ? strcmp(child->text, "true") == 0 : fallback;
}

struct node *node_find(const struct node *n, const char *path)
{
    struct node *found = NULL;

    while (n && *path) {
        size_t len = strcspn(path, ".");
        auto_free char *part = mem_strndup(path, len);

        path += len + (path[len] == '.');
        found = NULL;
        if (n->kind == NODE_KIND_LIST) {
            char *end;
            unsigned long index = strtoul(part, &end, 10);

            if (part[0] >= '0' && part[0] <= '9' && *end == '\0' && index < n->count)
                found = n->items[index];
        } else {
            found = node_get(n, part);
        }
        n = found;
    }
    return found;
}

struct node *node_append(struct node *map, const char *key, struct node *value)
{
    free(value->key);
    value->key = mem_strdup(key);
    return append(map, value);
}

struct node *node_set(struct node *map, const char *key, struct node *value)
{
    for (size_t i = 0; i < map->count; i++) {
        struct node *old = map->items[i];

        if (strcmp(old->key, key) != 0)
            continue;
        free(value->key);
        value->key = steal(old->key);
        map->items[i] = value;
        node_free(old);
        return value;
    }
    return node_append(map, key, value);
}

struct node *node_set_text(struct node *map, const char *key, const char *text)
{
    return node_set(map, key, node_new_string(text));
}

struct node *node_set_int(struct node *map, const char *key, int64_t value)
{
    return node_set(map, key, node_new_number(value));
}

struct node *node_set_bool(struct node *map, const char *key, bool value)
{
    return node_set(map, key, node_new_bool(value));
}

struct node *node_add(struct node *list, struct node *value)
{
    return append(list, value);
}

struct node *node_add_text(struct node *list, const char *text)
{
    return append(list, node_new_string(text));
}

bool node_remove(struct node *map, const char *key)
{
    for (size_t i = 0; map->kind == NODE_KIND_MAP && i < map->count; i++) {
        if (strcmp(map->items[i]->key, key) != 0)
            continue;
        node_free(map->items[i]);
        memmove(map->items + i, map->items + i + 1, (map->count - i - 1) * sizeof(struct node *));
        map->count--;
        return true;
    }
    return false;
}

static int by_key(const void *a, const void *b)
{
    const struct node *const *x = a, *const *y = b;

    return strcmp((*x)->key, (*y)->key);
}

void node_sort(struct node *n)
{
    if (!n || n->count == 0)
        return;
    if (n->kind == NODE_KIND_MAP)
        qsort(n->items, n->count, sizeof(struct node *), by_key);
    for (size_t i = 0; i < n->count; i++)
        node_sort(n->items[i]);
}

struct keyed {
    const char *key;
    size_t index;
};

static int by_key_and_index(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    int order = strcmp(x->key, y->key);

    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* For each child whether its key stands earlier in the map; NULL when none does. Owned. */
static bool *find_duplicates(const struct node *map)
{
    if (map->count < 2)
        return NULL;
    auto_free struct keyed *sorted = mem_array(map->count, sizeof(*sorted));
    auto_free bool *later = mem_array(map->count, sizeof(*later));
    bool any = false;
    for (size_t i = 0; i < map->count; i++)
        sorted[i] = (struct keyed){map->items[i]->key, i};
    qsort(sorted, map->count, sizeof(*sorted), by_key_and_index);
    for (size_t i = 1; i < map->count; i++)
        if (strcmp(sorted[i - 1].key, sorted[i].key) == 0)
            any = later[sorted[i].index] = true;
    return any ? steal(later) : NULL;
}

struct node *node_duplicate(const struct node *map)
{
    auto_free bool *later = find_duplicates(map);

    for (size_t i = 0; later && i < map->count; i++)
        if (later[i])
            return map->items[i];
    return NULL;
}

size_t node_take_duplicates(struct node *map, struct node ***taken)
{
    auto_free bool *later = find_duplicates(map);
    size_t count = 0, kept = 0;

    *taken = later ? mem_array(map->count, sizeof(**taken)) : NULL;
    for (size_t i = 0; later && i < map->count; i++) {
        if (later[i])
            (*taken)[count++] = map->items[i];
        else
            map->items[kept++] = map->items[i];
    }
    if (later)
        map->count = kept;
    return count;
}

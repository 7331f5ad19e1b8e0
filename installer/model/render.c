/* SPDX-License-Identifier: MIT */
/* Expansion of ${variables} in a tree. A value that came out of a variable
 * is never expanded again. */
#include "model/render.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"

enum { DEPTH_MAX = 32, SIZE_MAX_BYTES = 1 << 20, NODE_COST = 16, NAME_MAX_LEN = 128 };

struct expansion {
    const struct node *vars;
    size_t size; /* bytes made so far, NODE_COST for each node */
    struct err *e;
};

/* One ${name:-fallback} inside a text. */
struct reference {
    char name[NAME_MAX_LEN];
    char *fallback; /* owned or NULL */
    size_t len;     /* of the whole reference */
};

static bool name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

/* `p` points to "${". */
static int read_reference(struct reference *r, const char *p, struct err *e)
{
    const char *start = p + 2, *s = start;

    *r = (struct reference){0};
    while (name_char(*s) && !(s[0] == ':' && s[1] == '-'))
        s++;
    size_t len = (size_t)(s - start);
    if (len == 0 || len >= sizeof(r->name))
        return err_set(e, ERR_CONFIG, "\"%.40s\": a variable is written ${name}", p);
    memcpy(r->name, start, len);
    if (s[0] == ':' && s[1] == '-') {
        const char *text = s + 2;

        s = strchr(text, '}');
        if (s)
            r->fallback = mem_strndup(text, (size_t)(s - text));
    }
    if (!s || *s != '}') {
        mem_cleanup_free(&r->fallback);
        return err_set(e, ERR_CONFIG, "\"%.40s\": a variable is written ${name} or ${name:-text}",
                       p);
    }
    r->len = (size_t)(s - p) + 1;
    return 0;
}

static int unknown(const struct node *map, const char *part, const char *name, struct err *e)
{
    auto_strv struct strv names = {0};
    const struct node *child;

    node_for_each (child, map)
        strv_add(&names, child->key ? child->key : ""); /* no key: not a map */
    auto_free char *hint = strv_hint(&names, part);
    return err_set(e, ERR_CONFIG, "unknown variable ${%s}%s", name, hint);
}

/* *out is borrowed from the variables; NULL when the variable exists and has no value. */
static int find_variable(const struct node **out, const struct expansion *x,
                         const struct reference *r)
{
    *out = NULL;
    const struct node *at = node_get(x->vars, r->name), *map = x->vars;
    const char *rest = r->name;
    char part[NAME_MAX_LEN];
    while (!at && rest) { /* a.b.c: one map after the other */
        size_t len = strcspn(rest, ".");

        memcpy(part, rest, len);
        part[len] = '\0';
        const struct node *child = node_get(map, part);
        bool inner = map != x->vars;
        rest = rest[len] ? rest + len + 1 : NULL;
        if (!child && inner && r->fallback)
            return 0;
        if (!child)
            return unknown(map, part, r->name, x->e);
        if (rest && child->kind == NODE_KIND_NULL)
            return 0;
        if (rest && child->kind != NODE_KIND_MAP)
            return err_set(x->e, ERR_CONFIG, "variable ${%s}: \"%s\" is not a map", r->name, part);
        map = child;
        if (!rest)
            at = child;
    }
    *out = at && at->kind != NODE_KIND_NULL ? at : NULL;
    return 0;
}

static int spend(struct expansion *x, size_t bytes)
{
    x->size += bytes;
    if (x->size > SIZE_MAX_BYTES)
        return err_set(x->e, ERR_CONFIG, "what is rendered is larger than %d bytes",
                       SIZE_MAX_BYTES);
    return 0;
}

/* Accounts for a copied value and drops the nulls in it. */
static int settle(struct expansion *x, struct node *n, int depth)
{
    if (depth > DEPTH_MAX)
        return err_set(x->e, ERR_CONFIG, "nested deeper than %d", DEPTH_MAX);
    if (spend(x, NODE_COST + (n->text ? strlen(n->text) : 0) + (n->key ? strlen(n->key) : 0)) < 0)
        return -1;
    size_t kept = 0;
    for (size_t i = 0; i < n->count; i++) {
        struct node *child = n->items[i];

        if (child->kind == NODE_KIND_NULL) {
            node_free(child);
            continue;
        }
        n->items[kept++] = child;
        if (settle(x, child, depth + 1) < 0) {
            while (++i < n->count)
                n->items[kept++] = n->items[i];
            n->count = kept;
            return -1;
        }
    }
    n->count = kept;
    return 0;
}

static int append_reference(struct buf *out, struct expansion *x, const struct reference *r)
{
    const struct node *value;

    if (find_variable(&value, x, r) < 0)
        return -1;
    if (!value && !r->fallback)
        return err_set(x->e, ERR_CONFIG,
                       "variable ${%s} has no value, inside a text it needs one: ${%s:-text}",
                       r->name, r->name);
    if (value && !value->text)
        return err_set(x->e, ERR_CONFIG,
                       "variable ${%s} is a %s; inside a text only a single value may stand",
                       r->name, value->kind == NODE_KIND_LIST ? "list" : "map");
    buf_puts(out, value ? value->text : r->fallback);
    return 0;
}

/* *out is owned. "$${" stands for "${". */
static int expand_text(char **out, struct expansion *x, const char *text)
{
    auto_buf struct buf b;

    buf_init(&b, SIZE_MAX_BYTES);
    while (*text) {
        const char *next = strstr(text, "${");

        if (!next) {
            buf_puts(&b, text);
            break;
        }
        bool escaped = next > text && next[-1] == '$';
        buf_add(&b, text, (size_t)(next - text) - (escaped ? 1 : 0));
        if (escaped) {
            buf_puts(&b, "${");
            text = next + 2;
            continue;
        }
        struct reference ref;
        if (read_reference(&ref, next, x->e) < 0)
            return -1;
        int r = append_reference(&b, x, &ref);
        mem_cleanup_free(&ref.fallback);
        if (r < 0)
            return -1;
        text = next + ref.len;
    }
    if (b.full)
        return err_set(x->e, ERR_CONFIG, "what is rendered is larger than %d bytes",
                       SIZE_MAX_BYTES);
    if (spend(x, b.len) < 0)
        return -1;
    *out = buf_take(&b);
    return 0;
}

/* *out is NULL when the entry is to be left out. */
static int expand_scalar(struct node **out, struct expansion *x, const struct node *n, int depth)
{
    *out = NULL;
    if (n->kind == NODE_KIND_NULL)
        return 0;
    if (!strstr(n->text, "${")) {
        *out = node_copy(n);
        return spend(x, NODE_COST + strlen(n->text));
    }
    struct reference r;
    if (n->text[0] == '$' && n->text[1] == '{') {
        if (read_reference(&r, n->text, x->e) < 0)
            return -1;
        auto_free char *fallback = r.fallback;
        if (!n->text[r.len]) {
            const struct node *value;

            if (find_variable(&value, x, &r) < 0)
                return -1;
            if (!value)
                *out = fallback ? node_new_string(fallback) : NULL;
            else
                *out = node_copy(value);
            return *out ? settle(x, *out, depth) : 0;
        }
    }
    char *text = NULL;
    if (expand_text(&text, x, n->text) < 0)
        return -1;
    *out = node_new_string(text);
    mem_cleanup_free(&text);
    return spend(x, NODE_COST);
}

static int expand_node(struct node **out, struct expansion *x, const struct node *n, int depth);

static int expand_list(struct node *out, struct expansion *x, const struct node *n, int depth)
{
    const struct node *child;

    node_for_each (child, n) {
        struct node *value = NULL;

        if (expand_node(&value, x, child, depth + 1) < 0) {
            node_free(value);
            return err_wrap(x->e, "item %zu", i_child + 1);
        }
        if (value)
            node_add(out, value);
    }
    return 0;
}

/* What is merged never replaces what the map says itself, wherever the "<<" stands. */
static int merge(struct node *out, const struct node *from, struct err *e)
{
    const struct node *child;

    if (from->kind != NODE_KIND_MAP && from->kind != NODE_KIND_LIST)
        return err_set(e, ERR_CONFIG, "<<: only a map can be merged");
    node_for_each (child, from) {
        if (from->kind == NODE_KIND_LIST && merge(out, child, e) < 0)
            return -1;
        if (from->kind == NODE_KIND_MAP && !node_get(out, child->key))
            node_set(out, child->key, node_copy(child));
    }
    return 0;
}

static int expand_entry(struct node *out, struct node *merged, struct expansion *x,
                        const struct node *child, int depth)
{
    auto_free char *key = NULL;
    auto_node struct node *value = NULL;

    if (expand_text(&key, x, child->key) < 0)
        return -1;
    if (expand_node(&value, x, child, depth + 1) < 0)
        return err_wrap(x->e, "%s", key);
    if (!value)
        return 0;
    if (strcmp(child->key, "<<") == 0)
        return merge(merged, value, x->e);
    if (node_get(out, key))
        return err_set(x->e, ERR_CONFIG, "%s: given twice", key);
    node_set(out, key, steal(value));
    return 0;
}

static int expand_map(struct node *out, struct expansion *x, const struct node *n, int depth)
{
    auto_node struct node *merged = node_new_map();
    const struct node *child;

    node_for_each (child, n)
        if (expand_entry(out, merged, x, child, depth) < 0)
            return -1;
    return merge(out, merged, x->e);
}

static int expand_node(struct node **out, struct expansion *x, const struct node *n, int depth)
{
    *out = NULL;
    if (depth > DEPTH_MAX)
        return err_set(x->e, ERR_CONFIG, "nested deeper than %d", DEPTH_MAX);
    if (n->kind != NODE_KIND_LIST && n->kind != NODE_KIND_MAP)
        return expand_scalar(out, x, n, depth);
    if (spend(x, NODE_COST) < 0)
        return -1;
    *out = node_new(n->kind);
    return n->kind == NODE_KIND_LIST ? expand_list(*out, x, n, depth)
                                     : expand_map(*out, x, n, depth);
}

int render_expand(struct node **out, const struct node *tree, const struct node *vars,
                  struct err *e)
{
    *out = NULL;
    struct expansion x = {.vars = vars, .e = e};
    auto_node struct node *result = NULL;
    if (expand_node(&result, &x, tree, 1) < 0)
        return -1;
    *out = result ? steal(result) : node_new(NODE_KIND_NULL);
    return 0;
}

static int check_text(struct expansion *x, const char *text)
{
    const char *next;

    while (text && (next = strstr(text, "${"))) {
        const struct node *value;
        struct reference r;

        if (next > text && next[-1] == '$') {
            text = next + 2;
            continue;
        }
        if (read_reference(&r, next, x->e) < 0)
            return -1;
        mem_cleanup_free(&r.fallback);
        if (find_variable(&value, x, &r) < 0)
            return -1;
        text = next + r.len;
    }
    return 0;
}

static int check_names(struct expansion *x, const struct node *n, int depth)
{
    const struct node *child;

    if (depth > DEPTH_MAX)
        return err_set(x->e, ERR_CONFIG, "nested deeper than %d", DEPTH_MAX);
    if (check_text(x, n->key) < 0 || check_text(x, n->text) < 0)
        return -1;
    node_for_each (child, n)
        if (check_names(x, child, depth + 1) < 0)
            return -1;
    return 0;
}

int render_check(const struct node *tree, const struct node *vars, struct err *e)
{
    struct expansion x = {.vars = vars, .e = e};

    return check_names(&x, tree, 1);
}

static int flatten(struct strv *out, const struct node *n, struct err *e)
{
    if (n->kind == NODE_KIND_MAP)
        return err_set(e, ERR_CONFIG, "a map cannot be an argument");
    if (n->kind == NODE_KIND_NULL)
        return 0;
    if (n->kind != NODE_KIND_LIST) {
        strv_add(out, n->text);
        return 0;
    }
    const struct node *child;
    node_for_each (child, n)
        if (flatten(out, child, e) < 0)
            return -1;
    return 0;
}

int render_args(struct strv *out, const struct node *list, const struct node *vars, struct err *e)
{
    *out = (struct strv){0};
    auto_node struct node *expanded = NULL;
    if (render_expand(&expanded, list, vars, e) < 0)
        return -1;
    if (flatten(out, expanded, e) < 0) {
        strv_clear(out);
        return -1;
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * A scan over the text checks the grammar of RFC 8259 and everything cJSON lets through, and notes
 * the place of each value and the text of each number in document order. Then cJSON reads the text,
 * and the tree is made by walking both.
 */
#include "conf/json.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "conf/text.h"

enum { DEPTH_MAX = 64, NUMBER_MAX = 63 /* cJSON reads no longer ones */ };

struct token {
    size_t offset;
    char *number; /* owned, or NULL */
};

struct scan {
    const char *name, *text;
    size_t len, pos;
    struct token *tokens; /* keys and values in document order */
    size_t count, cap;
    int depth;
};

static void scan_clear(struct scan *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->tokens[i].number);
    free(s->tokens);
}

static int fail(const struct scan *s, size_t offset, const char *what, struct err *e)
{
    struct text_place at = text_place_at(s->text, offset);

    return err_set(e, ERR_CONFIG, "%s:%d:%d: %s", s->name, at.line, at.column, what);
}

static char peek(const struct scan *s)
{
    return s->pos < s->len ? s->text[s->pos] : '\0';
}

static void skip_space(struct scan *s)
{
    while (s->pos < s->len && strchr(" \t\r\n", s->text[s->pos]))
        s->pos++;
}

static struct token *note(struct scan *s)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 64;
        s->tokens = mem_grow(s->tokens, s->cap, sizeof(*s->tokens));
    }
    s->tokens[s->count] = (struct token){.offset = s->pos};
    return &s->tokens[s->count++];
}

/* Four hex digits behind \u, or -1. */
static long hex4(const struct scan *s, size_t at)
{
    char digits[5] = {0};

    if (s->len - at < 4)
        return -1;
    memcpy(digits, s->text + at, 4);
    return strspn(digits, "0123456789abcdefABCDEF") == 4 ? strtol(digits, NULL, 16) : -1;
}

/* At the backslash. */
static int scan_escape(struct scan *s, struct err *e)
{
    size_t start = s->pos++;
    char c = peek(s);

    s->pos++;
    if (c != '\0' && strchr("\"\\/bfnrt", c))
        return 0;
    if (c != 'u')
        return fail(s, start, "unknown escape in a string", e);
    long unit = hex4(s, s->pos);
    if (unit < 0)
        return fail(s, start, "\\u needs four hex digits", e);
    if (unit == 0)
        return fail(s, start, "a NUL character (\\u0000) is not allowed", e);
    s->pos += 4;
    if (unit < 0xD800 || unit > 0xDFFF)
        return 0;
    bool low_follows = s->len - s->pos >= 6 && memcmp(s->text + s->pos, "\\u", 2) == 0;
    long low = low_follows ? hex4(s, s->pos + 2) : -1;
    if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
        return fail(s, start, "half of a surrogate pair", e);
    s->pos += 6;
    return 0;
}

/* At the opening quote. */
static int scan_string(struct scan *s, struct err *e)
{
    size_t start = s->pos++;

    while (s->pos < s->len) {
        char c = s->text[s->pos];

        if (c == '"') {
            s->pos++;
            return 0;
        }
        if ((unsigned char)c < 0x20)
            return fail(s, s->pos, "a control character must be escaped", e);
        if (c != '\\')
            s->pos++;
        else if (scan_escape(s, e) < 0)
            return -1;
    }
    return fail(s, start, "the string has no end", e);
}

static int scan_number(struct scan *s, struct token *t, struct err *e)
{
    size_t len = 0;

    while (s->pos + len < s->len && s->text[s->pos + len] != '\0' &&
           strchr("+-.0123456789eE", s->text[s->pos + len]))
        len++;
    if (len > NUMBER_MAX)
        return fail(s, s->pos, "a number has more than 63 characters", e);
    t->number = mem_strndup(s->text + s->pos, len);
    if (!node_text_is_number(t->number))
        return fail(s, s->pos, "not a JSON number", e);
    s->pos += len;
    return 0;
}

static int scan_word(struct scan *s, struct err *e)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t len = strlen(words[i]);

        if (s->len - s->pos >= len && memcmp(s->text + s->pos, words[i], len) == 0) {
            s->pos += len;
            return 0;
        }
    }
    if (s->pos >= s->len)
        return fail(s, s->pos, "a value is missing", e);
    return fail(s, s->pos, "expected a JSON value", e);
}

static int scan_value(struct scan *s, struct err *e);

static int scan_key(struct scan *s, struct err *e)
{
    skip_space(s);
    if (peek(s) != '"')
        return fail(s, s->pos, "expected a key in double quotes", e);
    note(s);
    if (scan_string(s, e) < 0)
        return -1;
    skip_space(s);
    if (peek(s) != ':')
        return fail(s, s->pos, "expected : after the key", e);
    s->pos++;
    return 0;
}

/* At the opening bracket. */
static int scan_items(struct scan *s, char close, struct err *e)
{
    if (++s->depth > DEPTH_MAX)
        return fail(s, s->pos, "nested more than 64 deep", e);
    s->pos++;
    skip_space(s);
    if (peek(s) == close) {
        s->pos++;
        s->depth--;
        return 0;
    }
    for (;;) {
        if (close == '}' && scan_key(s, e) < 0)
            return -1;
        if (scan_value(s, e) < 0)
            return -1;
        skip_space(s);
        char c = peek(s);
        if (c != ',' && c != close)
            return fail(s, s->pos, close == '}' ? "expected , or }" : "expected , or ]", e);
        s->pos++;
        if (c == close)
            break;
    }
    s->depth--;
    return 0;
}

static int scan_value(struct scan *s, struct err *e)
{
    skip_space(s);
    struct token *t = note(s);
    char c = peek(s);
    if (c == '{' || c == '[')
        return scan_items(s, c == '{' ? '}' : ']', e);
    if (c == '"')
        return scan_string(s, e);
    if (c == '-' || (c >= '0' && c <= '9'))
        return scan_number(s, t, e);
    return scan_word(s, e);
}

/* Turns offsets into lines and columns in one pass over the text. */
struct walk {
    const struct scan *scan;
    size_t next;   /* token */
    size_t offset; /* of `at` */
    struct text_place at;
};

static struct text_place walk_place(struct walk *w, size_t offset)
{
    struct text_place step = text_place_at(w->scan->text + w->offset, offset - w->offset);

    w->at.column = step.line > 1 ? step.column : w->at.column + step.column - 1;
    w->at.line += step.line - 1;
    w->offset = offset;
    return w->at;
}

static struct node *build(struct walk *w, const cJSON *item);

static void build_children(struct walk *w, struct node *parent, const cJSON *item)
{
    for (const cJSON *child = item->child; child; child = child->next) {
        struct text_place at = {0, 0};

        if (parent->kind == NODE_KIND_MAP)
            at = walk_place(w, w->scan->tokens[w->next++].offset);
        struct node *value = build(w, child);
        value->key_line = at.line;
        value->key_column = at.column;
        if (parent->kind == NODE_KIND_MAP)
            node_append(parent, child->string, value);
        else
            node_add(parent, value);
    }
}

static struct node *build(struct walk *w, const cJSON *item)
{
    const struct token *t = &w->scan->tokens[w->next++];
    struct text_place at = walk_place(w, t->offset);
    struct node *n;

    if (cJSON_IsObject(item) || cJSON_IsArray(item)) {
        n = cJSON_IsObject(item) ? node_new_map() : node_new_list();
        build_children(w, n, item);
    } else if (cJSON_IsNumber(item)) {
        n = node_new(NODE_KIND_NUMBER);
        n->text = mem_strdup(t->number);
    } else if (cJSON_IsString(item)) {
        n = node_new_string(item->valuestring);
    } else if (cJSON_IsBool(item)) {
        n = node_new_bool(cJSON_IsTrue(item));
    } else {
        n = node_new(NODE_KIND_NULL);
        n->text = mem_strdup("null");
    }
    n->line = at.line;
    n->column = at.column;
    return n;
}

static int check_duplicates(const char *name, const struct node *n, struct err *e)
{
    const struct node *twice = n->kind == NODE_KIND_MAP ? node_duplicate(n) : NULL;

    if (twice)
        return err_set(e, ERR_CONFIG, "%s:%d:%d: the key \"%.60s\" is given twice", name,
                       twice->key_line, twice->key_column, twice->key);
    for (size_t i = 0; i < n->count; i++)
        if (check_duplicates(name, n->items[i], e) < 0)
            return -1;
    return 0;
}

static int parse(struct node **out, struct scan *s, struct err *e)
{
    if (scan_value(s, e) < 0)
        return -1;
    skip_space(s);
    if (s->pos < s->len)
        return fail(s, s->pos, "text after the end of the value", e);
    cJSON *json = cJSON_ParseWithLength(s->text, s->len);
    if (!json)
        return fail(s, 0, "cannot be read as JSON", e);
    struct walk w = {.scan = s, .at = {1, 1}};
    auto_node struct node *root = build(&w, json);
    cJSON_Delete(json);
    if (check_duplicates(s->name, root, e) < 0)
        return -1;
    *out = steal(root);
    return 0;
}

int json_parse(struct node **out, const char *name, const char *text, size_t len, struct err *e)
{
    *out = NULL;
    if (text_check(name, text, len, e) < 0)
        return -1;
    struct scan s = {.name = name, .text = text, .len = len};
    int r = parse(out, &s, e);
    scan_clear(&s);
    return r;
}

static void format_break(struct buf *b, int indent, int depth)
{
    if (indent > 0)
        buf_printf(b, "\n%*s", indent * depth, "");
}

static void format_node(struct buf *b, const struct node *n, int indent, int depth)
{
    bool map = n->kind == NODE_KIND_MAP;

    if (n->kind == NODE_KIND_NULL) {
        buf_puts(b, "null");
        return;
    }
    if (n->kind == NODE_KIND_STRING) {
        text_quote(b, n->text);
        return;
    }
    if (!map && n->kind != NODE_KIND_LIST) {
        buf_puts(b, n->text);
        return;
    }
    buf_putc(b, map ? '{' : '[');
    for (size_t i = 0; i < n->count; i++) {
        if (i > 0)
            buf_putc(b, ',');
        format_break(b, indent, depth + 1);
        if (map) {
            text_quote(b, n->items[i]->key);
            buf_puts(b, indent > 0 ? ": " : ":");
        }
        format_node(b, n->items[i], indent, depth + 1);
    }
    if (n->count > 0)
        format_break(b, indent, depth);
    buf_putc(b, map ? '}' : ']');
}

void json_format(struct buf *b, const struct node *n, int indent)
{
    format_node(b, n, indent, 0);
}

char *json_text(const struct node *n)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    json_format(&b, n, 0);
    return buf_take(&b);
}

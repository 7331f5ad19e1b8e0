/* SPDX-License-Identifier: MIT */
#include "model/change.h"

#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "conf/text.h"

enum { SHOWN_MAX = 60, ENTRIES_MAX = 10 };

/* As a document would say it, owned; NULL when the key does not take the text. */
static struct node *value_of(const struct config_key *key, const char *text)
{
    auto_node struct node *value = NULL;
    struct node *map = NULL;
    struct err ignored;

    if (!text)
        return NULL;
    if (key)
        return manifest_value_parse(&value, key, text, &ignored) < 0
                   ? NULL
                   : manifest_value_document(key, value);
    return text[0] == '{' && json_parse(&map, "value", text, strlen(text), &ignored) == 0 ? map
                                                                                          : NULL;
}

static void put(struct buf *b, const char *text)
{
    if (strlen(text) > SHOWN_MAX)
        buf_printf(b, "%.*s...", (int)text_cut(text, SHOWN_MAX), text);
    else
        buf_puts(b, text);
}

static void put_value(struct buf *b, const struct node *value, const char *text)
{
    auto_free char *shown = value ? manifest_value_text(value) : NULL;

    put(b, shown ? shown : text ? text : "(unset)");
}

struct change_list {
    struct buf *b;
    size_t count;
};

/* Either may be NULL: it was not there, or is there no longer. */
static void put_entry(struct change_list *c, const char *name, const struct node *old,
                      const struct node *now)
{
    if (c->count++ >= ENTRIES_MAX)
        return;
    buf_puts(c->b, c->count > 1 ? ", " : "");
    buf_puts(c->b, old && now ? "" : now ? "+" : "-");
    put(c->b, name);
    if (!now)
        return;
    buf_putc(c->b, ' ');
    if (old) {
        put_value(c->b, old, NULL);
        buf_puts(c->b, " -> ");
    }
    put_value(c->b, now, NULL);
}

static bool is_map(const struct node *n)
{
    return n && n->kind == NODE_KIND_MAP;
}

static void put_map(struct change_list *c, const char *prefix, const struct node *old,
                    const struct node *now)
{
    const struct node *n;

    node_for_each (n, now) {
        auto_free char *name = mem_printf("%s%s", prefix, n->key);
        const struct node *was = node_get(old, n->key);

        if (was && node_equal(was, n))
            continue;
        if (is_map(was) && is_map(n)) {
            auto_free char *inner = mem_printf("%s.", name);

            put_map(c, inner, was, n);
        } else {
            put_entry(c, name, was, n);
        }
    }
    node_for_each (n, old) {
        auto_free char *name = mem_printf("%s%s", prefix, n->key);

        if (!node_get(now, n->key))
            put_entry(c, name, n, NULL);
    }
}

void change_format(struct buf *b, const struct config_key *key, const char *old, const char *now)
{
    auto_node struct node *before = value_of(key, old), *after = value_of(key, now);
    struct change_list c = {.b = b};

    if (is_map(before) && is_map(after) && !node_equal(before, after)) {
        put_map(&c, "", before, after);
        if (c.count > ENTRIES_MAX)
            buf_printf(b, " and %zu more", c.count - ENTRIES_MAX);
        return;
    }
    put_value(b, before, old);
    buf_puts(b, " -> ");
    put_value(b, after, now);
}

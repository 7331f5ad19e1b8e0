/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/text.h"
#include "conf/yaml.h"

/* Words that some YAML reader takes for something else than text (YAML 1.1 section "Types"). */
static bool is_reserved(const char *text)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no", "on",
                                        "off",  "y",    "n",     "~",   ""};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

/* Careful rather than complete: what is left over is quoted, which is never wrong. */
static bool is_plain(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static const char body[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                               "0123456789_./@%+=-() ";
    size_t len = strlen(text);

    if (is_reserved(text) || len > 120 || strspn(text, body) != len || text[len - 1] == ' ')
        return false;
    if (strchr(letters, text[0]) || text[0] == '/')
        return true;
    /* "1GiB" and "10.0.0.0/8" are text for every reader; "0x1f", "1e3", "2001-12-14" are not. */
    const char *rest = text + strspn(text, "0123456789.");
    return rest > text && text[0] != '.' && *rest != '\0' && !strchr("abcdefABCDEFxXoO", *rest) &&
           (*rest == '/' || strchr(letters, *rest));
}

static void format_scalar(struct buf *b, const struct node *n)
{
    if (n->kind == NODE_KIND_NULL)
        buf_puts(b, "null");
    else if (n->kind == NODE_KIND_STRING && !is_plain(n->text))
        text_quote(b, n->text);
    else
        buf_puts(b, n->text);
}

static bool is_scalar(const struct node *n)
{
    return n->kind != NODE_KIND_LIST && n->kind != NODE_KIND_MAP;
}

enum start { START_NEW_LINE, START_HERE };

static void format_items(struct buf *b, const struct node *n, int indent, enum start start);

static void format_empty(struct buf *b, const struct node *n)
{
    if (is_scalar(n))
        format_scalar(b, n);
    else
        buf_puts(b, n->kind == NODE_KIND_LIST ? "[]" : "{}");
    buf_putc(b, '\n');
}

static void format_key(struct buf *b, const char *key)
{
    if (is_plain(key))
        buf_puts(b, key);
    else
        text_quote(b, key);
    buf_putc(b, ':');
}

/* `start` says whether the first item stands behind what is on the line already: "- a: 1". */
static void format_items(struct buf *b, const struct node *n, int indent, enum start start)
{
    bool list = n->kind == NODE_KIND_LIST;

    for (size_t i = 0; i < n->count; i++) {
        const struct node *child = n->items[i];

        if (i > 0 || start == START_NEW_LINE)
            buf_printf(b, "%*s", indent, "");
        if (list)
            buf_putc(b, '-');
        else
            format_key(b, child->key);
        if (is_scalar(child) || child->count == 0) {
            buf_putc(b, ' ');
            format_empty(b, child);
        } else if (list) {
            buf_putc(b, ' ');
            format_items(b, child, indent + 2, START_HERE);
        } else {
            buf_putc(b, '\n');
            format_items(b, child, indent + 2, START_NEW_LINE);
        }
    }
}

void yaml_format(struct buf *b, const struct node *n)
{
    if (is_scalar(n) || n->count == 0)
        format_empty(b, n);
    else
        format_items(b, n, 0, START_NEW_LINE);
}

/* SPDX-License-Identifier: MIT */
/* The writers. What a format cannot say safely is refused with the name of the key: a line break in
 * an ini or env value would be a setting of its own. */
#include "model/render.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "conf/yaml.h"

static bool is_scalar(const struct node *n)
{
    return n->kind != NODE_KIND_LIST && n->kind != NODE_KIND_MAP;
}

static const char *scalar_text(const struct node *n)
{
    return n->text ? n->text : "";
}

static bool one_line(const char *text)
{
    return !strpbrk(text, "\r\n");
}

static int want_map(const struct node *tree, const char *format, struct err *e)
{
    if (tree->kind == NODE_KIND_MAP || tree->kind == NODE_KIND_NULL)
        return 0;
    return err_set(e, ERR_CONFIG, "a template for %s is a map", format);
}

/* ---- ini ---- */

static int ini_list(struct buf *b, const struct node *n, bool *first, struct err *e)
{
    const struct node *child;

    node_for_each (child, n) {
        if (child->kind == NODE_KIND_MAP)
            return err_set(e, ERR_CONFIG, "ini has no maps in lists");
        if (child->kind == NODE_KIND_LIST) {
            if (ini_list(b, child, first, e) < 0)
                return -1;
            continue;
        }
        buf_printf(b, "%s%s", *first ? "" : ", ", scalar_text(child));
        *first = false;
    }
    return 0;
}

static int ini_value(struct buf *b, const struct node *n, struct err *e)
{
    auto_buf struct buf text;

    buf_init(&text, 1 << 20);
    bool first = true;
    if (is_scalar(n))
        buf_puts(&text, scalar_text(n));
    else if (ini_list(&text, n, &first, e) < 0)
        return err_wrap(e, "%s", n->key);
    const char *s = buf_str(&text);
    if (!one_line(s) || (text.len && s[text.len - 1] == '\\'))
        return err_set(e, ERR_CONFIG, "%s: the value has a line break, which ini cannot hold",
                       n->key);
    const char *key = n->key;
    if (!*key || !one_line(key) || strpbrk(key, "=[]") || strchr("#;", *key))
        return err_set(e, ERR_CONFIG, "%s: not a name of an ini setting", key);
    buf_printf(b, "%s = %s\n", key, s);
    return 0;
}

static int ini_section(struct buf *b, const struct node *section, struct err *e)
{
    if (!*section->key || !one_line(section->key) || strpbrk(section->key, "[]"))
        return err_set(e, ERR_CONFIG, "%s: not a name of an ini section", section->key);
    buf_printf(b, "%s[%s]\n", b->len ? "\n" : "", section->key);
    const struct node *child;
    node_for_each (child, section) {
        if (child->kind == NODE_KIND_MAP)
            return err_set(e, ERR_CONFIG, "%s.%s: ini has no sections in sections", section->key,
                           child->key);
        if (ini_value(b, child, e) < 0)
            return err_wrap(e, "%s", section->key);
    }
    return 0;
}

static int format_ini(struct buf *b, const struct node *tree, struct err *e)
{
    if (want_map(tree, "ini", e) < 0)
        return -1;
    const struct node *child;
    /* Settings outside of sections first: behind a section they would be that section's. */
    node_for_each (child, tree)
        if (child->kind != NODE_KIND_MAP && ini_value(b, child, e) < 0)
            return -1;
    node_for_each (child, tree)
        if (child->kind == NODE_KIND_MAP && ini_section(b, child, e) < 0)
            return -1;
    return 0;
}

/* ---- env ---- */

static bool env_name_is_valid(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

/* Readable by a shell and by systemd's EnvironmentFile alike. */
static void env_quote(struct buf *b, const char *text)
{
    bool plain = true;

    for (const char *s = text; *s && plain; s++)
        plain = isalnum((unsigned char)*s) || strchr("_./:@%+,=-", *s);
    if (plain) {
        buf_puts(b, text);
        return;
    }
    buf_putc(b, '"');
    for (; *text; text++) {
        if (strchr("\"\\$`", *text))
            buf_putc(b, '\\');
        buf_putc(b, *text);
    }
    buf_putc(b, '"');
}

static int format_env(struct buf *b, const struct node *tree, struct err *e)
{
    if (want_map(tree, "env", e) < 0)
        return -1;
    const struct node *child;
    node_for_each (child, tree) {
        if (!env_name_is_valid(child->key))
            return err_set(e, ERR_CONFIG, "%s: not a name of a variable", child->key);
        auto_free char *text = is_scalar(child) ? mem_strdup(scalar_text(child)) : json_text(child);
        if (!one_line(text))
            return err_set(e, ERR_CONFIG, "%s: the value has a line break, which env cannot hold",
                           child->key);
        buf_printf(b, "%s=", child->key);
        env_quote(b, text);
        buf_putc(b, '\n');
    }
    return 0;
}

/* ---- args ---- */

static int format_args(struct buf *b, const struct node *tree, struct err *e)
{
    if (tree->kind == NODE_KIND_MAP)
        return err_set(e, ERR_CONFIG, "%s: a map cannot be an argument",
                       tree->key ? tree->key : "template");
    if (tree->kind == NODE_KIND_NULL)
        return 0;
    if (is_scalar(tree)) {
        if (!one_line(tree->text))
            return err_set(e, ERR_CONFIG, "argument \"%.20s...\" has a line break", tree->text);
        buf_printf(b, "%s\n", tree->text);
        return 0;
    }
    const struct node *child;
    node_for_each (child, tree)
        if (format_args(b, child, e) < 0)
            return -1;
    return 0;
}

int render_format(struct buf *b, enum template_format format, const struct node *tree,
                  struct err *e)
{
    switch (format) {
    case TEMPLATE_FORMAT_INI:
        return format_ini(b, tree, e);
    case TEMPLATE_FORMAT_ENV:
        return format_env(b, tree, e);
    case TEMPLATE_FORMAT_JSON:
        json_format(b, tree, 2);
        buf_putc(b, '\n');
        return 0;
    case TEMPLATE_FORMAT_YAML:
        yaml_format(b, tree);
        return 0;
    case TEMPLATE_FORMAT_ARGS:
        return format_args(b, tree, e);
    }
    return err_set(e, ERR_CONFIG, "unknown template format");
}

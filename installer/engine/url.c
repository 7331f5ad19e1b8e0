/* SPDX-License-Identifier: MIT */
#include "engine/url.h"

#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "conf/node.h"

enum { URL_MAX = 1 << 20 };

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c));
}

void url_escape(struct buf *b, const char *text, const char *keep)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (is_unreserved(*p) || strchr(keep, *p))
            buf_putc(b, *p);
        else
            buf_printf(b, "%%%02X", (unsigned)(unsigned char)*p);
    }
}

static char *joined(const char *before, const char *name, const char *keep, const char *tail)
{
    auto_buf struct buf b;

    buf_init(&b, URL_MAX);
    buf_puts(&b, before);
    url_escape(&b, name, keep);
    buf_puts(&b, tail);
    return buf_take(&b);
}

char *url_path(const char *before, const char *id, const char *tail)
{
    return joined(before, id, "", tail);
}

char *url_image(const char *before, const char *ref, const char *tail)
{
    return joined(before, ref, "/:@", tail);
}

char *url_filtered(const char *path, const char *query, const char *label)
{
    auto_buf struct buf b;

    buf_init(&b, URL_MAX);
    buf_puts(&b, path);
    if (query)
        buf_printf(&b, "?%s", query);
    if (label) {
        auto_node struct node *filters = node_new_map();

        node_add_text(node_set(filters, "label", node_new_list()), label);
        auto_free char *text = json_text(filters);
        buf_printf(&b, "%cfilters=", query ? '&' : '?');
        url_escape(&b, text, "");
    }
    return buf_take(&b);
}

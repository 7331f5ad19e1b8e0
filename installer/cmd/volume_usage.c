/* SPDX-License-Identifier: MIT */
#include "cmd/volume_usage.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/strv.h"

enum { LINE_LENGTH_MAX = 16384 };

static int fill(struct buf *b, const char *text, const struct node *variables, struct err *e)
{
    const char *at;

    while ((at = strstr(text, "${"))) {
        size_t len = strcspn(at + 2, "}");
        auto_free char *name = mem_strndup(at + 2, len);
        const char *value = node_get_text(variables, name);

        if (!value || !at[2 + len])
            return err_set(e, ERR_CONFIG, "unknown variable ${%s}", name);
        buf_printf(b, "%.*s%s", (int)(at - text), text, value);
        text = at + 2 + len + 1;
    }
    buf_puts(b, text);
    return 0;
}

int volume_usage_render(struct node **out, const char *text, const struct node *variables,
                        struct err *e)
{
    auto_node struct node *list = node_new_list();
    auto_strv struct strv lines = {0};

    strv_split(&lines, text, "\n");
    for (size_t i = 0; i < lines.count; i++) {
        const char *line = lines.items[i], *colon = strstr(line, ": ");
        auto_free char *title = colon ? mem_strndup(line, (size_t)(colon - line)) : NULL;
        auto_buf struct buf b = {0}, head = {0};
        struct node *n;

        if (line[0] == '#' || !colon)
            continue;
        buf_init(&b, LINE_LENGTH_MAX);
        buf_init(&head, LINE_LENGTH_MAX);
        if (fill(&head, title, variables, e) < 0 || fill(&b, colon + 2, variables, e) < 0)
            return err_wrap(e, "line %zu", i + 1);
        n = node_add(list, node_new_map());
        node_set_text(n, "title", buf_str(&head));
        node_set_text(n, "line", buf_str(&b));
    }
    *out = steal(list);
    return 0;
}

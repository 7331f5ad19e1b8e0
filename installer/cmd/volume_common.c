/* SPDX-License-Identifier: MIT */
#include "cmd/volume_common.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/out.h"
#include "conf/units.h"

const char *volume_size(char out[32], const struct node *row, const char *key)
{
    if (!node_get(row, key))
        return NULL;
    units_format_size(out, node_get_int(row, key, 0));
    return out;
}

int volume_list(struct cmd_context *x,
                int (*read)(struct node **rows, struct env *env, struct err *e),
                void (*print)(const struct cmd_context *x, const struct node *rows), struct err *e)
{
    auto_node struct node *rows = NULL;

    if (read(&rows, x->env, e) < 0)
        return -1;
    if (x->json)
        out_json(rows);
    else
        print(x, rows);
    return 0;
}

void volume_say(const struct cmd_context *x, const struct volume_said *s)
{
    const struct strv *already = s->options->already, *partly = s->options->partly;

    if (x->json) {
        auto_node struct node *root = node_new_map();
        struct node *list = node_set(root, "volumes", node_new_list());

        for (size_t i = 0; i < s->names->count; i++)
            node_add_text(list, s->names->items[i]);
        node_set_text(root, "done", s->done);
        list = node_set(root, "already", node_new_list());
        for (size_t i = 0; already && i < already->count; i++)
            node_add_text(list, already->items[i]);
        list = partly ? node_set(root, "already_created", node_new_list()) : NULL;
        for (size_t i = 0; partly && i < partly->count; i++)
            node_add_text(list, partly->items[i]);
        node_set_bool(root, "acknowledged", !s->options->no_wait);
        node_set_int(root, "ms", clock_now_ms() - s->began);
        out_json(root);
        return;
    }
    for (size_t i = 0; !x->quiet && i < s->names->count; i++) {
        const char *name = s->names->items[i];

        if (partly && strv_has(partly, name))
            out_line(stdout, "%s: %s", name, s->partly);
        else
            out_line(stdout, "%s: %s%s", name, already && strv_has(already, name) ? "already " : "",
                     s->done);
    }
}

/* SPDX-License-Identifier: MIT */
#include "cmd/config_print.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/out.h"
#include "model/change.h"

static void print_change(const struct config_state *s, const struct node *n)
{
    const char *name = node_get_text(n, "name"), *instance = node_get_text(n, "instance");
    auto_buf struct buf change = {0}, b = {0};

    buf_init(&change, 16384);
    buf_init(&b, 65536);
    change_format(&change, manifest_config(s->manifest, name), node_get_text(n, "old"),
                  node_get_text(n, "new"));
    buf_printf(&b, "%s%s%s %s: ", s->target.component, instance ? "/" : "",
               instance ? instance : "", name);
    out_safe(&b, buf_str(&change), change.len);
    buf_printf(&b, " (%s)\n", node_get_text(n, "apply"));
    out_buf(&b);
}

void config_say(const struct cmd_context *x, const struct config_state *s)
{
    bool dry_run = s->commit.dry_run;
    const struct node *n;

    if (x->json) {
        auto_node struct node *root = node_new_map();

        node_set_bool(root, "changed", !dry_run && s->changes->count > 0);
        node_set(root, "changes", node_copy(s->changes));
        out_json(root);
        return;
    }
    if (x->quiet)
        return;
    node_for_each (n, s->changes) {
        print_change(s, n);
    }
    if (s->changes->count == 0)
        puts("nothing to change");
    else if (dry_run)
        puts("nothing was changed (--dry-run)");
}

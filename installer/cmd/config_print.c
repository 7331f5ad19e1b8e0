/* SPDX-License-Identifier: MIT */
#include "cmd/config_print.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/out.h"
#include "model/change.h"

enum { CHANGE_MAX = 16384 };

static void print_change(const char *component, const struct node *n)
{
    const char *name = node_get_text(n, "name"), *instance = node_get_text(n, "instance");

    out_line(stdout, "%s%s%s %s: %s (%s)", component, instance ? "/" : "", instance ? instance : "",
             name, node_get_text(n, "text"), node_get_text(n, "apply"));
}

void config_say(const struct cmd_context *x, const struct config_state *s)
{
    auto_node struct node *changes = node_copy(s->changes);
    struct node *n;

    node_for_each (n, changes) {
        auto_buf struct buf text = {0};

        buf_init(&text, CHANGE_MAX);
        change_format(&text, manifest_config(s->manifest, node_get_text(n, "name")),
                      node_get_text(n, "old"), node_get_text(n, "new"));
        node_set_text(n, "text", buf_str(&text));
    }
    config_say_rows(x, s->target.component, changes, s->commit.dry_run);
}

void config_say_rows(const struct cmd_context *x, const char *component, struct node *changes,
                     bool dry_run)
{
    struct node *n;

    if (x->json) {
        auto_node struct node *root = node_new_map();

        node_for_each (n, changes) {
            node_remove(n, "text");
        }
        node_set_bool(root, "changed", !dry_run && changes->count > 0);
        node_set(root, "changes", node_copy(changes));
        out_json(root);
        return;
    }
    if (x->quiet)
        return;
    node_for_each (n, changes) {
        print_change(component, n);
    }
    if (changes->count == 0)
        puts("nothing to change");
    else if (dry_run)
        puts("nothing was changed (--dry-run)");
}

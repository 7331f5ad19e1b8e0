/* SPDX-License-Identifier: MIT */
/* volume list, volume show. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/out.h"
#include "cmd/volume_common.h"

enum { TEXT_MAX = 8 << 20 };

/* Of one of "attached", or of a snapshot, which is nothing of that. */
static const char *how_attached(const struct node *n)
{
    if (node_get_bool(n, "detaching", false))
        return " (has not answered the order to detach it)";
    return node_get_bool(n, "read_only", false) ? " (read-only)" : "";
}

static void add_names(struct buf *b, const struct node *list, const char *key)
{
    const struct node *n;
    const char *between = "";

    node_for_each (n, list) {
        out_addf(b, "%s%s%s", between, key ? node_get_text(n, key) : n->key, how_attached(n));
        between = ", ";
    }
}

/* Sentences have a line each, below what they are about. */
static void add_problems(struct buf *b, const struct node *row, const char *before)
{
    const struct node *problems = node_get(row, "problems"), *n;

    node_for_each (n, problems) {
        buf_puts(b, before);
        out_safe(b, n->text, strlen(n->text));
        buf_putc(b, '\n');
    }
}

/* ---- list ---- */

static void print_list(const struct cmd_context *x, const struct node *rows)
{
    static const char *const heads[] = {"VOLUME",    "SIZE",     "POOL", "STATE",
                                        "SNAPSHOTS", "ATTACHED", "FROM", NULL};
    struct out_table *t = out_table_new(heads);
    auto_buf struct buf b;
    const struct node *n;

    buf_init(&b, TEXT_MAX);
    node_for_each (n, rows) {
        const struct node *snapshots = node_get(n, "snapshots");
        auto_buf struct buf where;
        char size[32];

        buf_init(&where, TEXT_MAX);
        add_names(&where, node_get(n, "attached"), "instance");
        out_table_add(t, node_get_text(n, "name"), OUT_BOLD);
        out_table_add(t, volume_size(size, n, "size"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "pool"), OUT_PLAIN);
        out_table_add(t, env_volume_state(n),
                      node_get(n, "problems")                        ? OUT_BAD
                      : strcmp(env_volume_state(n), "attached") == 0 ? OUT_GOOD
                                                                     : OUT_PLAIN);
        out_table_addf(t, OUT_PLAIN, "%zu", snapshots ? snapshots->count : 0);
        out_table_add(t, where.len ? buf_str(&where) : NULL, OUT_PLAIN);
        out_table_add(t, node_get_text(n, "from"), OUT_DIM);
    }
    out_table_format(&b, t, out_has_color(x, stdout));
    out_table_free(t);
    node_for_each (n, rows) {
        add_problems(&b, n, "");
    }
    out_buf(&b);
}

static int run_list(struct cmd_context *x, void *options, const struct strv *operands,
                    struct err *e)
{
    auto_node struct node *rows = NULL;

    (void)options;
    (void)operands;
    if ((x->remote ? remote_volume_list(&rows, x->remote, e) : env_volume_list(&rows, x->env, e)) <
        0)
        return -1;
    if (x->json)
        out_json(rows);
    else
        print_list(x, rows);
    return 0;
}

const struct cmd cmd_volume_list = {
    .help = {.name = "volume list",
             .summary = "every volume, and who serves it",
             .group = "Volumes"},
    .needs = ENV_VOLUMES_NEEDS,
    .server = true,
    .run = run_list,
};

/* ---- show ---- */

static void print_use(const struct cmd_context *x, const struct node *a)
{
    const char *bold = out_has_color(x, stdout) ? out_escape(OUT_BOLD) : "";
    const char *plain = out_has_color(x, stdout) ? out_escape(OUT_PLAIN) : "";
    const struct node *list = node_get(a, "use"), *n;
    auto_buf struct buf b;

    buf_init(&b, TEXT_MAX);
    buf_printf(&b, "\n%s", bold);
    out_addf(&b, "%s", node_get_text(a, "instance"));
    buf_printf(&b, "%s%s\n", plain, how_attached(a));
    out_buf(&b);
    node_for_each (n, list) {
        out_line(stdout, "  %s:", node_get_text(n, "title"));
        out_line(stdout, "    %s", node_get_text(n, "line"));
    }
}

static void print_show(const struct cmd_context *x, const struct node *row)
{
    static const char *const keys[] = {"pool", "data_pool", "from"};
    const struct node *attached = node_get(row, "attached"), *snapshots, *a;
    char size[32];

    out_line(stdout, "%-10s %s", "volume", node_get_text(row, "name"));
    out_line(stdout, "%-10s %s", "state", env_volume_state(row));
    if (volume_size(size, row, "size"))
        out_line(stdout, "%-10s %s", "size", size);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (node_get_text(row, keys[i]))
            out_line(stdout, "%-10s %s", keys[i], node_get_text(row, keys[i]));
    if (node_get(row, "problems")) {
        auto_buf struct buf b;

        buf_init(&b, TEXT_MAX);
        add_problems(&b, row, "problem    ");
        out_buf(&b);
    }
    snapshots = node_get(row, "snapshots");
    if (snapshots && snapshots->count) {
        auto_buf struct buf b;

        buf_init(&b, TEXT_MAX);
        add_names(&b, snapshots, NULL);
        out_line(stdout, "%-10s %s", "snapshots", buf_str(&b));
    }
    node_for_each (a, attached) {
        print_use(x, a);
    }
    if (attached->count > 0 || strcmp(env_volume_state(row), "free") != 0)
        return;
    putchar('\n');
    out_line(stdout, "`slipway volume attach %s --to DRIVER` makes it usable",
             node_get_text(row, "name"));
}

static int run_show(struct cmd_context *x, void *options, const struct strv *operands,
                    struct err *e)
{
    auto_node struct node *row = NULL;

    (void)options;
    if ((x->remote ? remote_volume_show(&row, x->remote, operands->items[0], e)
                   : env_volume_show(&row, x->env, operands->items[0], e)) < 0)
        return -1;
    if (x->json)
        out_json(row);
    else
        print_show(x, row);
    return 0;
}

const struct cmd cmd_volume_show = {
    .help = {.name = "volume show",
             .summary = "one volume, and the lines that use it where it is attached",
             .args = "VOLUME",
             .group = "Volumes"},
    .needs = ENV_VOLUMES_NEEDS,
    .server = true,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_show,
};

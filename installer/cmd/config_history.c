/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "env/history.h"
#include "model/change.h"

enum { TEXT_MAX = 8 << 20, CHANGE_MAX = 16384 };

static const struct opt_example examples[] = {
    {"slipway config history", "every change, and who broke locks"},
    {"slipway config history ceph-osd memory_target", "one key"},
    {0},
};

/* A component that is in no catalog any more has texts as etcd has them. */
static const struct config_key *key_of(const struct cmd_context *x, const struct node *n)
{
    const char *target = node_get_text(n, "target"), *name = node_get_text(n, "name");
    auto_free char *component = target ? mem_strndup(target, strcspn(target, "/")) : NULL;
    const struct manifest *m = component ? catalog_find(x->env->catalog, component) : NULL;

    return m && name ? manifest_config(m, name) : NULL;
}

static void print(const struct cmd_context *x, const struct node *list)
{
    static const char *const heads[] = {"TIME", "WHO", "WHAT", "TARGET", "KEY", "CHANGE", NULL};
    struct out_table *t = out_table_new(heads);
    const struct node *n;

    node_for_each (n, list) {
        auto_buf struct buf change = {0};
        const char *reason = node_get_text(n, "reason"), *instance = node_get_text(n, "instance");

        out_table_addf(t, OUT_DIM, "%.19s", node_get_text(n, "time"));
        out_table_add(t, node_get_text(n, "who"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "what"), OUT_PLAIN);
        out_table_add(t, instance ? instance : node_get_text(n, "target"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "name"), OUT_PLAIN);
        buf_init(&change, CHANGE_MAX);
        if (node_get_text(n, "text"))
            buf_puts(&change, node_get_text(n, "text"));
        else if (node_get_text(n, "name") && x->env)
            change_format(&change, key_of(x, n), node_get_text(n, "old"), node_get_text(n, "new"));
        out_table_add(t, change.len ? buf_str(&change) : reason, OUT_PLAIN);
    }
    out_table_print(t, x);
}

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    const char *target = operands->count ? operands->items[0] : NULL;
    const char *key = operands->count > 1 ? operands->items[1] : NULL;
    auto_node struct node *list = NULL;
    struct node *n;

    (void)options;
    if ((x->remote ? remote_history(&list, x->remote, target, key, e)
                   : env_history(&list, x->env, target, key, e)) < 0)
        return -1;
    node_for_each (n, list) {
        if (x->json) /* for people, who have no catalog of the server's */
            node_remove(n, "text");
    }
    if (x->json)
        out_json(list);
    else
        print(x, list);
    return 0;
}

const struct cmd cmd_config_history = {
    .help = {.name = "config history",
             .summary = "who changed what, and when",
             .args = "[COMPONENT[/INSTANCE] [KEY]]",
             .examples = examples,
             .group = "Configuration"},
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_CATALOG | ENV_NEEDS_ETCD,
    .max_operands = 2,
    .server = true,
    .run = run,
};

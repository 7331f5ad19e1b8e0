/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "env/list.h"

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    static const char *const heads[] = {"ENVIRONMENT", "STATE", "INSTANCES", "UUID", "KEY", NULL};
    auto_node struct node *list = node_new_list();
    struct out_table *t;
    const struct node *n;

    (void)options;
    (void)operands;
    if (env_list(list, x->env, e) < 0)
        return -1;
    if (x->json) {
        out_json(list);
        return 0;
    }
    t = out_table_new(heads);
    node_for_each (n, list) {
        bool key = node_get_bool(n, "key", false);
        const char *path = node_get_text(n, "key_path");
        bool all = node_get_int(n, "running", 0) == node_get_int(n, "instances", 0);

        out_table_add(t, node_get_text(n, "environment"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "state"), all ? OUT_PLAIN : OUT_WARN);
        out_table_addf(t, OUT_PLAIN, "%s/%s", node_get_text(n, "running"),
                       node_get_text(n, "instances"));
        out_table_add(t, node_get_text(n, "uuid"), OUT_DIM);
        if (key || !path)
            out_table_add(t, key ? "here" : "not here", key ? OUT_PLAIN : OUT_WARN);
        else
            out_table_addf(t, OUT_WARN, "in %s", path);
    }
    out_table_print(t, x);
    return 0;
}

const struct cmd cmd_list = {
    .help = {.name = "list",
             .summary = "the environments of this machine",
             .details = "KEY says whether the environment's key is at hand, and if not where it "
                        "was made; without it nothing can be done to the environment from here.",
             .group = "Environments"},
    .needs = ENV_NEEDS_ENGINE,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/* etcd compact. */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/out.h"
#include "env/compact.h"

enum { MIB = 1 << 20 };

static const struct opt_example examples[] = {
    {"slipway etcd compact", "make room when etcd's quota is used up"},
    {0},
};

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    struct env_compacted done;

    (void)options;
    (void)operands;
    if (env_compact(&done, x->env, e) < 0)
        return -1;
    if (x->json) {
        auto_node struct node *n = node_new_map();

        node_set_int(n, "members", (int64_t)done.members);
        node_set_int(n, "bytes_before", done.before);
        node_set_int(n, "bytes_after", done.after);
        node_set_bool(n, "alarm", done.alarm);
        out_json(n);
    } else if (!x->quiet) {
        out_line(stdout, "%s: %zu %s of etcd compacted, %.1f MiB -> %.1f MiB%s", x->env->name,
                 done.members, done.members == 1 ? "member" : "members", (double)done.before / MIB,
                 (double)done.after / MIB, done.alarm ? "; the alarm is cleared" : "");
    }
    return 0;
}

const struct cmd cmd_etcd_compact = {
    .help = {.name = "etcd compact",
             .summary = "drop etcd's history and give its space back",
             .details = "Drops every revision but the present one, defragments one member after "
                        "the other, and clears the alarm that etcd raises when its quota is used "
                        "up. No key and no value that is in effect is lost. Should the present "
                        "ones alone be too much: slipway config set etcd quota SIZE.",
             .examples = examples,
             .group = "Configuration"},
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_ETCD,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/* pause, resume: what whoever keeps the environment leaves alone. */
#include <stdio.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "env/held.h"
#include "env/status.h"

static int hold(struct cmd_context *x, bool off, const struct strv *operands, struct err *e)
{
    auto_strv struct strv names = {0};
    struct held_set o = {.why = HELD_WHY_PAUSED, .off = off};
    const char *done = off ? "resumed" : "paused";

    /* Also those without a container: they are what is mended when they are let go. */
    if (operands->count && status_names(&names, x->env, operands, e) < 0)
        return -1;
    o.names = operands->count ? &names : NULL;
    if (held_set(x->env, &o, e) < 0)
        return -1;
    if (x->json) {
        auto_node struct node *n = node_new_map();
        struct node *list;

        node_set_text(n, "environment", x->env->name);
        node_set_bool(n, "paused", !off);
        list = o.names ? node_set(n, "instances", node_new_list()) : NULL;
        for (size_t i = 0; list && i < names.count; i++)
            node_add_text(list, names.items[i]);
        out_json(n);
        return 0;
    }
    for (size_t i = 0; !x->quiet && i < names.count; i++)
        out_line(stdout, "%s %s", names.items[i], done);
    if (!x->quiet && !o.names)
        out_line(stdout, "%s %s", x->env->name, done);
    return 0;
}

static int run_pause(struct cmd_context *x, void *o, const struct strv *operands, struct err *e)
{
    (void)o;
    return hold(x, false, operands, e);
}

static int run_resume(struct cmd_context *x, void *o, const struct strv *operands, struct err *e)
{
    (void)o;
    return hold(x, true, operands, e);
}

static const struct opt_example pause_examples[] = {
    {"slipway pause", "nothing of the environment is mended by itself"},
    {"slipway pause ceph-osd-1", "maintenance of one instance"},
    {0},
};

const struct cmd cmd_pause = {
    .help = {.name = "pause",
             .summary = "let the controller leave instances alone, or all of them",
             .args = "[INSTANCE|COMPONENT ...]",
             .details = "`slipwayd` brings back what died, was removed or is not well. What is "
                        "paused it watches and does not touch, until `slipway resume`. "
                        "`slipway status` says what is paused, by whom and since when.",
             .examples = pause_examples,
             .group = "Instances"},
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_ETCD,
    .max_operands = -1,
    .run = run_pause,
};

const struct cmd cmd_resume = {
    .help = {.name = "resume",
             .summary = "let the controller mend again what was paused",
             .args = "[INSTANCE|COMPONENT ...]",
             .details = "Without a name the pause of the environment ends; instances that were "
                        "paused by name stay so until they are named.",
             .group = "Instances"},
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_ETCD,
    .max_operands = -1,
    .run = run_resume,
};

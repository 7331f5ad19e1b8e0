/* SPDX-License-Identifier: MIT */
/* lock status, lock break. */
#include <stdio.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "env/lock.h"

struct break_options {
    const char *reason;
};

static const struct opt_spec break_specs[] = {
    {"reason", 0, OPT_STRING, "TEXT", "why; kept in the audit trail (required)",
     offsetof(struct break_options, reason)},
    {0},
};

static const struct opt_example break_examples[] = {
    {"slipway lock break --reason 'the machine of the holder is gone'",
     "let others change the environment"},
    {0},
};

static void print_holder(const struct node *holder)
{
    const struct node *field;

    node_for_each (field, holder) {
        if (field->text)
            out_line(stdout, "  %-8s %s", field->key, field->text);
    }
}

static int run_status(struct cmd_context *x, void *options, const struct strv *operands,
                      struct err *e)
{
    auto_node struct node *holder = NULL;

    (void)options;
    (void)operands;
    if (env_lock_holder(&holder, x->env, e) < 0)
        return -1;
    if (x->json) {
        auto_node struct node *n = node_new_map();

        node_set_bool(n, "held", holder != NULL);
        if (holder)
            node_set(n, "holder", node_copy(holder));
        out_json(n);
    } else if (holder) {
        out_line(stdout, "%s: locked", x->env->name);
        print_holder(holder);
    } else {
        out_line(stdout, "%s: not locked", x->env->name);
    }
    return 0;
}

static int run_break(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct break_options *o = opts;
    auto_node struct node *holder = NULL;

    (void)operands;
    if (!o->reason || !*o->reason)
        return err_set(e, ERR_USAGE, "lock break needs --reason: it is kept for the others");
    if (env_lock_break(&holder, x->env, o->reason, e) < 0)
        return -1;
    if (x->json) {
        auto_node struct node *n = node_new_map();

        node_set_text(n, "environment", x->env->name);
        node_set_bool(n, "broken", holder != NULL);
        if (holder)
            node_set(n, "holder", node_copy(holder));
        out_json(n);
    } else if (!holder) {
        out_line(stdout, "%s: not locked, nothing to do", x->env->name);
    } else if (!x->quiet) {
        out_line(stdout, "%s: the lock is broken; it was held by", x->env->name);
        print_holder(holder);
    }
    return 0;
}

const struct cmd cmd_lock_status = {
    .help = {.name = "lock status",
             .summary = "who changes the environment now",
             .group = "Configuration"},
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_ETCD,
    .run = run_status,
};

const struct cmd cmd_lock_break = {
    .help = {.name = "lock break",
             .summary = "take the lock away from a run that is gone",
             .details = "A run that dies loses its lock by itself within a minute. Should the "
                        "holder still be at work, its next write is refused.",
             .options = break_specs,
             .examples = break_examples,
             .group = "Configuration"},
    .options_size = sizeof(struct break_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_ETCD,
    .run = run_break,
};

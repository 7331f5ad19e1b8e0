/* SPDX-License-Identifier: MIT */
/* inventory: the instances for Ansible. */
#include "env/inventory.h"

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"

struct inventory_options {
    bool list;
    const char *host;
};

static const struct opt_spec options[] = {
    {"list", 0, OPT_FLAG, NULL, "all groups, hosts and their variables (the default)",
     offsetof(struct inventory_options, list)},
    {"host", 0, OPT_STRING, "NAME", "the variables of one",
     offsetof(struct inventory_options, host)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway inventory --list", "JSON, as Ansible asks for it"},
    {"ansible -i scripts/host/inventory ceph_osd -m ping", "the instances of one component"},
    {0},
};

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct inventory_options *o = opts;
    auto_node struct node *n = NULL;

    (void)operands;
    if (o->list && o->host)
        return err_set(e, ERR_USAGE, "--list and --host are two questions; ask one");
    if (o->host ? inventory_host(&n, x->env, o->host, e) < 0 : inventory_list(&n, x->env, e) < 0)
        return -1;
    out_json(n);
    return 0;
}

const struct cmd cmd_inventory = {
    .help = {.name = "inventory",
             .summary = "the instances as an inventory of Ansible",
             .args = "",
             .details = "JSON of a dynamic inventory: the running instances that have sshd, in a "
                        "group for each component, dashes as underscores. Host keys are pinned. "
                        "The key and the host keys are written into the environment's folder, "
                        "since Ansible's ssh reads files. Ansible wants a program without "
                        "arguments: scripts/host/inventory is one, and SLIPWAY_ENVIRONMENT names "
                        "another environment for it. Modules of Ansible need Python in the "
                        "container, which ceph-* have; raw works in all.",
             .options = options,
             .examples = examples,
             .group = "Instances"},
    .options_size = sizeof(struct inventory_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_SSH,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/instances.h"

struct exec_options {
    const char *user;
    bool no_tty;
};

static const struct opt_spec options[] = {
    {"user", 'u', OPT_STRING, "USER", "run as this user (default: root)",
     offsetof(struct exec_options, user)},
    {"no-tty", 'T', OPT_FLAG, NULL, "no terminal in the container, even on one",
     offsetof(struct exec_options, no_tty)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway exec ceph-mon-1 -- ceph -s", "the state of the storage"},
    {"slipway exec ceph-osd-1", "a shell"},
    {0},
};

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct exec_options *o = opts;
    static const char *const shell[] = {"/bin/sh", "-c", "exec bash || exec sh", NULL};
    size_t first = operands->count > 1 && strcmp(operands->items[1], "--") == 0 ? 2 : 1;
    struct engine_exec call = {.argv = shell, .user = o->user};
    const char *id;
    int status;

    if (instances_container(&id, x, operands->items[0], e) < 0)
        return -1;
    if (strcmp(instances_state(x, operands->items[0]), "running") != 0)
        return err_set(e, ERR_CONFLICT, "%s does not run (%s)", operands->items[0],
                       instances_state(x, operands->items[0]));
    if (operands->count > first)
        call.argv = (const char *const *)operands->items + first;
    call.tty = !o->no_tty && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (engine_exec_interactive(&status, x->engine, id, &call, e) < 0)
        return err_wrap(e, "%s", operands->items[0]);
    return status;
}

const struct cmd cmd_exec = {
    .help = {.name = "exec",
             .summary = "run a command in an instance's container; its exit status is ours",
             .args = "INSTANCE [--] [COMMAND ...]",
             .details = "Without a command: a shell. Input, output and, on a terminal, the "
                        "terminal are connected.",
             .options = options,
             .examples = examples,
             .group = "Instances"},
    .options_size = sizeof(struct exec_options),
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_CONTAINERS,
    .min_operands = 1,
    .max_operands = -1,
    .stop_at_operand = true,
    .run = run,
};

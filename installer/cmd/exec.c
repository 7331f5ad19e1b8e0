/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/foreground.h"
#include "env/instances.h"

struct exec_options {
    const char *user;
    bool input, no_input, tty, no_tty;
};

static const struct opt_spec options[] = {
    {"user", 'u', OPT_STRING, "USER", "run as this user (default: root)",
     offsetof(struct exec_options, user)},
    {"input", 'i', OPT_FLAG, NULL, "connect our input, also from a file or a pipe",
     offsetof(struct exec_options, input)},
    {"no-input", 'n', OPT_FLAG, NULL, "connect no input, not even on a terminal",
     offsetof(struct exec_options, no_input)},
    {"tty", 't', OPT_FLAG, NULL, "a terminal in the container (the default on one)",
     offsetof(struct exec_options, tty)},
    {"no-tty", 'T', OPT_FLAG, NULL, "no terminal in the container, even on one",
     offsetof(struct exec_options, no_tty)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway exec ceph-mon-1 -- ceph -s", "the state of the storage"},
    {"slipway exec ceph-osd-1", "a shell"},
    {"slipway exec -i sleeper-1 -- tar -x -C /data <data.tar", "with our input"},
    {0},
};

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct exec_options *o = opts;
    static const char *const shell[] = {"/bin/sh", "-c", "exec bash || exec sh", NULL};
    size_t first = operands->count > 1 && strcmp(operands->items[1], "--") == 0 ? 2 : 1;
    struct engine_exec call = {.argv = shell, .user = o->user};
    struct engine_stdio io = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
    const char *id, *name;
    int status;

    if (o->input && o->no_input)
        return err_set(e, ERR_USAGE, "--input and --no-input are opposites");
    if (instances_running(&name, &id, x->env, operands->items[0], e) < 0)
        return -1;
    if (operands->count > first)
        call.argv = (const char *const *)operands->items + first;
    if (!foreground_wants_input(o->input, o->no_input, operands->count > first))
        io.in = -1;
    call.tty = !o->no_tty && io.in >= 0 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (engine_exec_interactive(&status, x->env->engine, id, &call, io, e) < 0)
        return err_wrap(e, "%s", name);
    return status;
}

const struct cmd cmd_exec = {
    .help = {.name = "exec",
             .summary = "run a command in an instance's container; its exit status is ours",
             .args = "INSTANCE [--] [COMMAND ...]",
             .details = "Without a command: a shell. Output is connected, and on a terminal the "
                        "terminal. A shell gets our input, a command only on a terminal or with "
                        "-i: else it would eat what a loop or a here-document around it reads.",
             .options = options,
             .examples = examples,
             .group = "Instances"},
    .options_size = sizeof(struct exec_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_CONTAINERS,
    .min_operands = 1,
    .max_operands = -1,
    .stop_at_operand = true,
    .no_json = true,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/* The OpenSSH client with the environment's key and host keys, and nothing
 * of the user's own setup. */
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/foreground.h"
#include "cmd/out.h"
#include "env/ssh.h"

struct ssh_options {
    bool input, no_input;
};

static const struct opt_spec options[] = {
    {"input", 'i', OPT_FLAG, NULL, "connect our input, also from a file or a pipe",
     offsetof(struct ssh_options, input)},
    {"no-input", 'n', OPT_FLAG, NULL, "connect no input, not even on a terminal",
     offsetof(struct ssh_options, no_input)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway ssh controller-1", "a shell"},
    {"slipway ssh controller-1 uptime", "one command"},
    {0},
};

enum { SSH_FAILED = 255 }; /* or the command ended with that */

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct ssh_options *o = opts;
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    size_t first = operands->count > 1 && strcmp(operands->items[1], "--") == 0 ? 2 : 1;
    struct ssh s;
    int status = 0, r;

    if (o->input && o->no_input)
        return err_set(e, ERR_USAGE, "--input and --no-input are opposites");
    r = ssh_prepare(&s, x->env, operands->items[0], runtime && *runtime ? runtime : "/tmp",
                    foreground_wants_input(o->input, o->no_input, operands->count > first), e);
    if (r == 0) {
        for (size_t i = first; i < operands->count; i++)
            strv_add(&s.argv, operands->items[i]);
        r = foreground_run(&status, &s.argv, e);
    }
    ssh_clear(&s);
    if (r == 0 && status == SSH_FAILED && ssh_check_keys(x->env, operands->items[0], e) < 0)
        out_problem("slipway: ", e->msg);
    return r < 0 ? -1 : status;
}

const struct cmd cmd_ssh = {
    .help = {.name = "ssh",
             .summary = "log in to an instance that runs sshd",
             .args = "INSTANCE [--] [COMMAND ...]",
             .details = "With the environment's own key and the instance's own host key; nothing "
                        "of ~/.ssh is read or changed. The exit status is that of ssh. A shell "
                        "gets our input, a "
                        "command only on a terminal or with -i.",
             .options = options,
             .examples = examples,
             .group = "Instances"},
    .options_size = sizeof(struct ssh_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_SSH,
    .min_operands = 1,
    .max_operands = -1,
    .stop_at_operand = true,
    .no_json = true,
    .run = run,
};

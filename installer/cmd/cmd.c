/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/sig.h"
#include "cmd/out.h"
#include "env/paths.h"

void cmd_tell(const char *line)
{
    if (!log_is_json())
        out_problem("", line);
    log_event(LOG_LEVEL_ERROR, "%s", line);
}

const char *cmd_document_path(const char *word)
{
    return word && strcmp(word, "-") == 0 ? "/dev/stdin" : word;
}

const char *cmd_place(const struct cmd_context *x)
{
    return x->remote ? remote_place(x->remote) : x->env->name;
}

int cmd_open(struct cmd_context *x, unsigned needs, struct err *e)
{
    struct env_opts o = {.home = x->home,
                         .docker = cmd_variable("DOCKER_HOST"),
                         .docker_config = x->docker_config,
                         .docker_context = cmd_variable("DOCKER_CONTEXT"),
                         .temp_dir = cmd_variable("TMPDIR"),
                         .name = x->name,
                         .file = cmd_document_path(x->file),
                         .catalogs = &x->catalogs,
                         .paths = &x->paths,
                         .timeout_ms = x->timeout_ms,
                         .cancel = sig_cancel()};

    if (needs == 0)
        return 0;
    if (env_paths_find(&x->paths, cmd_variable("SLIPWAY_SHARE"), e) < 0)
        return -1;
    return env_open(&x->env, &o, needs, e);
}

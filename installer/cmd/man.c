/* SPDX-License-Identifier: MIT */
/* The man page, printed from the tables: `slipway man | man -l -`. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/out.h"

enum { TEXT_MAX = 1 << 20 };

static const struct opt_example examples[] = {
    {"slipway man | man -l -", "read it"},
    {0},
};

static const char DESCRIPTION[] =
    "Slipway installs, runs and looks after a cluster environment of containers from one YAML "
    "file. Configuration lives in etcd; every container gets nothing but a link to it.\n\n"
    "Without --env or a file the commands are about the only environment there is; at first that "
    "is "
    "the built-in demo, a storage cluster of etcd, monitors, a manager, object storage daemons and "
    "volume drivers.";

static const struct {
    const char *term, *text;
} EXITS[] = {
    {"0", "done, or nothing to do"},
    {"1", "failed before any change"},
    {"2", "only plan: there are changes"},
    {"3", "partly done; the journal is kept, the same command goes on"},
    {"4", "another run holds the lock"},
    {"5", "something is unhealthy"},
    {"6", "a document or the command line is invalid"},
    {"7", "refused: password, permission or trust"},
    {"8", "a deadline passed"},
    {"130", "interrupted, safely"},
};

static const struct {
    const char *term, *text;
} VARIABLES[] = {
    {"SLIPWAY_HOME", "folder of the environments' keys (default: $XDG_CONFIG_HOME/slipway)"},
    {"SLIPWAY_SHARE", "folder that holds components/ and dockerfiles/"},
    {"DOCKER_HOST", "the engine, unix://PATH; without it that of Docker's context"},
    {"DOCKER_CONTEXT", "the context to use, as docker does; without it the current one"},
    {"DOCKER_CONFIG", "folder with Docker's contexts, and the proxies for builds (~/.docker)"},
    {"SLIPWAY_SERVER, SLIPWAY_TOKEN_FILE, SLIPWAY_SERVER_PIN, SLIPWAY_SERVER_CA",
     "what --server, --token-file, --server-pin and --server-ca say; --env, --file and --catalog "
     "mean this machine all the same"},
    {"NO_COLOR", "when not empty: no colour"},
    {"VISUAL, EDITOR", "the editor of config edit"},
};

static void sections(struct buf *b, const struct cmd *const *all)
{
    const char *group = NULL;

    opt_man_section(b, "SYNOPSIS", "slipway [OPTIONS] COMMAND [ARGUMENTS]");
    opt_man_section(b, "DESCRIPTION", DESCRIPTION);
    opt_man_section(b, "OPTIONS", "These come before the command or after it.");
    opt_man_options(b, cmd_global_options);
    for (size_t i = 0; all[i]; i++) {
        const struct opt_command *h = &all[i]->help;

        if (!group || strcmp(group, h->group) != 0) {
            group = h->group;
            opt_man_section(b, group, NULL);
        }
        opt_man_command(b, "slipway", h);
    }
    opt_man_section(b, "EXIT STATUS", NULL);
    for (size_t i = 0; i < sizeof(EXITS) / sizeof(EXITS[0]); i++)
        opt_man_item(b, EXITS[i].term, EXITS[i].text);
    opt_man_section(b, "ENVIRONMENT", NULL);
    for (size_t i = 0; i < sizeof(VARIABLES) / sizeof(VARIABLES[0]); i++)
        opt_man_item(b, VARIABLES[i].term, VARIABLES[i].text);
}

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    auto_buf struct buf b = {0};

    (void)options;
    (void)operands;
    (void)e;
    buf_init(&b, TEXT_MAX);
    opt_man_head(&b, "slipway", SLIPWAY_VERSION,
                 "install and run a cluster environment of containers");
    sections(&b, x->commands);
    out_buf(&b);
    return 0;
}

const struct cmd cmd_man = {
    .help = {.name = "man", .summary = "print the man page", .examples = examples, .group = "Help"},
    .no_json = true,
    .run = run,
};

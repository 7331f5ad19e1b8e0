/* SPDX-License-Identifier: MIT */
/* The tables of commands and global options: what main, help, man page and completion read. */
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"

#define COMMAND(name) extern const struct cmd cmd_##name;
#include "cmd/commands.def"
#undef COMMAND

const struct cmd *const cmd_all[] = {
#define COMMAND(name) &cmd_##name,
#include "cmd/commands.def"
#undef COMMAND
    NULL};

static const char *const log_formats[] = {"text", "json", NULL};

const struct opt_spec cmd_global_options[CMD_GLOBAL_OPTIONS + 1] = {
    {"env", 'e', OPT_STRING, "NAME", "the environment (default: the only one there is, or demo)",
     offsetof(struct cmd_context, env)},
    {"file", 'f', OPT_STRING, "FILE", "the environment document",
     offsetof(struct cmd_context, file)},
    {"catalog", 0, OPT_LIST, "DIR", "a folder with more components",
     offsetof(struct cmd_context, catalogs)},
    {"json", 0, OPT_FLAG, NULL, "print JSON", offsetof(struct cmd_context, json)},
    {"verbose", 'v', OPT_COUNT, NULL, "say more; twice: every call",
     offsetof(struct cmd_context, verbose)},
    {"quiet", 'q', OPT_FLAG, NULL, "no progress", offsetof(struct cmd_context, quiet)},
    {"no-color", 0, OPT_FLAG, NULL, "no colour, as with NO_COLOR",
     offsetof(struct cmd_context, no_color)},
    {"timeout", 0, OPT_DURATION, "TIME", "give up after this time (30s, 5min)",
     offsetof(struct cmd_context, timeout_ms)},
    {"log-format", 0, OPT_STRING, "FORMAT",
     "what goes to stderr: text or json (also SLIPWAY_LOG_FORMAT)",
     offsetof(struct cmd_context, log_format), .values = log_formats},
    {"log-file", 0, OPT_STRING, "FILE",
     "append JSON lines about everything to this file too (also SLIPWAY_LOG_FILE)",
     offsetof(struct cmd_context, log_file)},
    {"help", 'h', OPT_FLAG, NULL, "this help", offsetof(struct cmd_context, help)},
    {"version", 0, OPT_FLAG, NULL, "print the version", offsetof(struct cmd_context, version)},
    {0},
};

static size_t word_count(const char *name)
{
    return strchr(name, ' ') ? 2 : 1;
}

const struct cmd *cmd_find(const char *const *argv, int *used)
{
    for (size_t words = 2; words > 0; words--) {
        auto_free char *name = NULL;

        if (!argv[0] || (words == 2 && !argv[1]))
            continue;
        name = words == 2 ? mem_printf("%s %s", argv[0], argv[1]) : mem_strdup(argv[0]);
        for (size_t i = 0; cmd_all[i]; i++)
            if (word_count(cmd_all[i]->help.name) == words &&
                strcmp(cmd_all[i]->help.name, name) == 0) {
                *used = (int)words;
                return cmd_all[i];
            }
    }
    return NULL;
}

/* SPDX-License-Identifier: MIT */
/* The options that every command takes: what main, help, man page and completion read. */
#include <stddef.h>

#include "cmd/cmd.h"

static const char *const log_formats[] = {"text", "json", NULL};

const struct opt_spec cmd_global_options[CMD_GLOBAL_OPTIONS + 1] = {
    {"env", 'e', OPT_STRING, "NAME", "the environment (default: the only one there is, or demo)",
     offsetof(struct cmd_context, name)},
    {"file", 'f', OPT_STRING, "FILE", "the environment document",
     offsetof(struct cmd_context, file)},
    {"catalog", 0, OPT_LIST, "DIR", "a folder with more components",
     offsetof(struct cmd_context, catalogs)},
    {"server", 0, OPT_STRING, "URL",
     "the environment of that slipwayd, from any machine (also SLIPWAY_SERVER)",
     offsetof(struct cmd_context, server)},
    {"token-file", 0, OPT_STRING, "FILE",
     "with --server: holds an API token (also SLIPWAY_TOKEN_FILE)",
     offsetof(struct cmd_context, token_file)},
    {"server-pin", 0, OPT_STRING, "PIN",
     "with --server: its key, as slipwayd prints it (also SLIPWAY_SERVER_PIN)",
     offsetof(struct cmd_context, server_pin)},
    {"server-ca", 0, OPT_STRING, "FILE",
     "with --server: who signs its certificate (also SLIPWAY_SERVER_CA)",
     offsetof(struct cmd_context, server_ca)},
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
    {"parse-only", 0, OPT_FLAG, NULL, "", offsetof(struct cmd_context, parse_only), .hidden = true},
    {"help", 'h', OPT_FLAG, NULL, "this help", offsetof(struct cmd_context, help)},
    {"version", 0, OPT_FLAG, NULL, "print the version", offsetof(struct cmd_context, version)},
    {0},
};

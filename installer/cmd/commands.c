/* SPDX-License-Identifier: MIT */
/* The table of commands: what main, help, man page and completion read. */
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

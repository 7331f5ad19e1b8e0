/* SPDX-License-Identifier: MIT */
#include "cmd/ask.h"

#include <stdio.h>
#include <unistd.h>

#include "cmd/out.h"

int ask_may_lose(const char *what, bool named, bool yes, struct err *e)
{
    if (!named)
        return err_set(e, ERR_USAGE, "%s loses data: name the environment with --env or --file",
                       what);
    if (!yes && !isatty(STDIN_FILENO))
        return err_set(e, ERR_USAGE,
                       "%s loses data, and without a terminal nobody can be asked: it needs --yes",
                       what);
    return 0;
}

int ask_before(const char *question, bool yes, struct err *e)
{
    char answer[16] = "";

    if (yes || !isatty(STDIN_FILENO))
        return 0;
    out_prompt("%s [y/N] ", question);
    if (!out_ask(answer, sizeof(answer)) || (answer[0] != 'y' && answer[0] != 'Y'))
        return err_set(e, ERR_INTERRUPTED, "nothing was changed");
    return 0;
}

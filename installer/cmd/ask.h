/* SPDX-License-Identifier: MIT */
/*
 * The one rule by which a command asks: on a terminal a question, unless --yes; without a terminal
 * what loses data needs --yes, and what can be had again is done.
 */
#ifndef CMD_ASK_H
#define CMD_ASK_H

#include "cmd/cmd.h"

/* For a command that will lose data, before anything is opened. ERR_USAGE when nobody can be asked,
 * and when the environment was guessed, not named. `what` begins the message: "down --volumes". */
int ask_may_lose(const char *what, bool named, bool yes, struct err *e);
/* The row of the option table of a command that asks; `type` embeds `yes`. */
#define ASK_YES(type)                                                                              \
    {                                                                                              \
        "yes", 'y', OPT_FLAG, NULL, "do not ask", offsetof(struct type, yes)                       \
    }
/* ERR_INTERRUPTED when a terminal's answer to the question is not yes; 0 without a terminal, and
 * with --yes. */
int ask_before(const char *question, bool yes, struct err *e);

#endif

/* SPDX-License-Identifier: MIT */
/* Another program takes over the terminal until it ends: an editor, the ssh client. */
#ifndef CMD_FOREGROUND_H
#define CMD_FOREGROUND_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"

/* argv[0] is searched in PATH. It stays in this process's group, so that it has the terminal and
 * its signals. *status: exit code or 128+signal. */
int foreground_run(int *status, const struct strv *argv, struct err *e);
/* Whether a program in a container gets this process's input: `asked` and `refused` are what the
 * options say; else a shell does, and a command on a terminal: a loop or a here-document keeps its
 * own. */
bool foreground_wants_input(bool asked, bool refused, bool is_command);

#endif

/* SPDX-License-Identifier: MIT */
/* Another program takes over the terminal until it ends: an editor, the ssh client. */
#ifndef CMD_FOREGROUND_H
#define CMD_FOREGROUND_H

#include "base/err.h"
#include "base/strv.h"

/* argv[0] is searched in PATH. It stays in this process's group, so that it has the terminal and
 * its signals. *status: exit code or 128+signal. */
int foreground_run(int *status, const struct strv *argv, struct err *e);

#endif

/* SPDX-License-Identifier: MIT */
/* What runs that were killed, and environments that are gone, left on this machine. */
#ifndef CMD_CLEAN_FILES_H
#define CMD_CLEAN_FILES_H

#include "cmd/cmd.h"

/* Adds {"kind":"file"|"folder","name","bytes","why"} of what is older than `before` (Unix time).
 * `containers`: all of the engine's with our labels. */
void clean_files_find(struct node *items, const struct node *containers, int64_t before);

#endif

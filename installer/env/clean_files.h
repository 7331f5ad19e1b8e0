/* SPDX-License-Identifier: MIT */
/* What runs that were killed, and environments that are gone, left on this machine. */
#ifndef ENV_CLEAN_FILES_H
#define ENV_CLEAN_FILES_H

#include "base/strv.h"
#include "conf/node.h"

/* Adds {"kind":"file"|"folder","name","bytes","why"} of what is older than `before` (Unix time).
 * `home`: with the environments' folders. `dirs`: folders for temporary files. `containers`: all of
 * the engine's with our labels. */
void clean_files_find(struct node *items, const char *home, const struct strv *dirs,
                      const struct node *containers, int64_t before);

#endif

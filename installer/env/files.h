/* SPDX-License-Identifier: MIT */
/* Where everything of an environment lies on this machine. */
#ifndef ENV_FILES_H
#define ENV_FILES_H

#include "env/env.h"

/* Adds {"what","of","path","there","bytes"}: key, document, journal, lock, file, catalog, images,
 * program, and as far as Docker answers data, folder and, with `logs`, log. Needs NAME. */
int env_files(struct node *list, struct env *env, bool logs, struct err *e);

#endif

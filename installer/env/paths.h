/* SPDX-License-Identifier: MIT */
/* Where the program's own files are: beside it in the source tree, or installed, or in a folder
 * that its caller names. */
#ifndef ENV_PATHS_H
#define ENV_PATHS_H

#include "env/env.h"

/* `given`: the folder that has components/ and dockerfiles/, which comes first; NULL: none.
 * ERR_NOTFOUND when there are none. Clear it in every case. */
int env_paths_find(struct env_paths *p, const char *given, struct err *e);
void env_paths_clear(struct env_paths *p);

#endif

/* SPDX-License-Identifier: MIT */
/* Which file an environment was made from: for people who look for it. Nothing depends on it. */
#ifndef CMD_SOURCE_H
#define CMD_SOURCE_H

#include "cmd/cmd.h"

/* Remembers --file, as an absolute path, beside the key. */
void source_save(const struct cmd_context *x);
/* The path, owned, or NULL. */
char *source_load(const char *env);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CMD_CONFIG_PRINT_H
#define CMD_CONFIG_PRINT_H

#include "cmd/cmd.h"
#include "env/config.h"

/* Prints the changes that were stored, or would be. */
void config_say(const struct cmd_context *x, const struct config_state *s);
/* The same of rows that have "text", which is taken out of them: what a change means. */
void config_say_rows(const struct cmd_context *x, const char *component, struct node *changes,
                     bool dry_run);

#endif

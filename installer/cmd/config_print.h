/* SPDX-License-Identifier: MIT */
#ifndef CMD_CONFIG_PRINT_H
#define CMD_CONFIG_PRINT_H

#include "cmd/cmd.h"
#include "env/config.h"

/* Prints the changes that were stored, or would be. */
void config_say(const struct cmd_context *x, const struct config_state *s);

#endif

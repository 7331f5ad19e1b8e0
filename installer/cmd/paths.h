/* SPDX-License-Identifier: MIT */
/* What variables of the caller say of where files are. */
#ifndef CMD_PATHS_H
#define CMD_PATHS_H

#include "env/env.h"

/* Where the caller's environments have their files: $SLIPWAY_HOME, else slipway in $XDG_CONFIG_HOME
 * or ~/.config. Owned. */
char *cmd_paths_home(void);
/* Where Docker's own client has its files: $DOCKER_CONFIG, else ~/.docker. Owned. */
char *cmd_paths_docker(void);
/* A variable of our own environment; NULL when it is empty too. */
const char *cmd_variable(const char *name);

#endif

/* SPDX-License-Identifier: MIT */
/* Where the program's own files are: beside it in the source tree, or
 * installed, or $SLIPWAY_SHARE. */
#ifndef CMD_PATHS_H
#define CMD_PATHS_H

#include "env/env.h"

/* ERR_NOTFOUND when there are none. Clear it in every case. */
int cmd_paths_find(struct env_paths *p, struct err *e);
void cmd_paths_clear(struct env_paths *p);
/* Where the caller's environments have their files: $SLIPWAY_HOME, else slipway in $XDG_CONFIG_HOME
 * or ~/.config. Owned. */
char *cmd_paths_home(void);
/* Where Docker's own client has its files: $DOCKER_CONFIG, else ~/.docker. Owned. */
char *cmd_paths_docker(void);
/* A variable of our own environment; NULL when it is empty too. */
const char *cmd_variable(const char *name);

#endif

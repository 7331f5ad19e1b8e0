/* SPDX-License-Identifier: MIT */
/* --server: which environment a command line means, when it is that of a slipwayd elsewhere. */
#ifndef CMD_SERVER_H
#define CMD_SERVER_H

#include "cmd/cmd.h"

/* Whether this one of the global options is only for commands that work with --server. */
bool cmd_server_is_option(const struct opt_spec *o);
/* Settles x->server from options and variables: NULL for an environment here. ERR_USAGE when the
 * command cannot do it, with those that can. */
int cmd_server_settle(struct cmd_context *x, const struct cmd *c, struct err *e);
/* x->remote, for x->server. */
int cmd_server_open(struct cmd_context *x, struct err *e);

#endif

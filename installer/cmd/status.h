/* SPDX-License-Identifier: MIT */
/*
 * The state of one environment as one tree, made from one look at the engine and one range of etcd:
 * {"environment","uuid","healthy",
 *  "instances":[{"instance","component","container","state","health","reason","ok","restarts",
 *                "crashes","since","address","image","agent",
 *                "config":{"current","revision","desired_revision","desired","applied","result",
 *                          "error","pending":[..]}}],
 *  "etcd":{"answers","error","version","endpoints","leader","db_size","db_quota","revision",
 *          "alarms":[..]}}
 */
#ifndef CMD_STATUS_H
#define CMD_STATUS_H

#include "cmd/cmd.h"
#include "plan/world.h"

/* Owned. Needs the engine; x->env names the environment. */
int status_read(struct node **out, struct cmd_context *x, struct err *e);
/* Rows for every instance that has a container or a meta key. Pure. */
struct node *status_instances(const struct world *w, const char *env);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The state of one environment as one tree, made from one look at the engine and one range of etcd:
 * {"environment","uuid","healthy",
 *  "instances":[{"instance","component","container","state","health","reason","ok","restarts",
 *                "crashes","since","address","image","agent","release","release_since",
 *                "bad_releases":[..],"renamed_to",
 *                "exit": status of the run that ended, "drifted": it lost its place in the network,
 *                "keeper": held.h,
 *                "config":{"current","revision","desired_revision","desired","applied","result",
 *                          "error","pending":[..]}}],
 *  "etcd":{"answers","error","version","endpoints","leader","db_size","db_quota","revision",
 *          "alarms":[..]},
 *  "strays":[{"container","instance","state"}],   with the labels of an instance, and another one
 *  "keeper": held.h, when somebody keeps it or paused it
 *  "note": the file it was made from says something else, when it does}
 */
#ifndef ENV_STATUS_H
#define ENV_STATUS_H

#include "env/env.h"
#include "plan/observed.h"

/* Owned. Needs the name, and prepares the engine and the key. ERR_NOTFOUND: the environment was
 * never made here. */
int status_read(struct node **out, struct env *env, struct err *e);
/* Keeps the rows of the instances and components that words name (instances.h), and says of these
 * whether they are healthy. */
int status_select(struct node *status, const struct env *env, const struct strv *words,
                  struct err *e);
/* The instances that words name, also those without a container (instances.h). Needs what
 * status_read does. */
int status_names(struct strv *out, struct env *env, const struct strv *words, struct err *e);
/* Rows for every instance that has a container or a meta key. Pure. */
struct node *status_instances(const struct observed *w, const char *env);
/* "etcd" of the tree, owned: every member is asked; what goes wrong is in "error". */
struct node *status_etcd(const struct observed *w, struct env *env);

#endif

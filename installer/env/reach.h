/* SPDX-License-Identifier: MIT */
/*
 * What a program that broke into the container of an instance could use, by Docker and etcd:
 * {"host":[{"path","at","read_only"}],  folders and files of the host
 *  "docker_plugins",                    whether it can be a plugin of Docker, in place of others
 *  "docker", "environment_key",         whether it has Docker's socket, and that key
 *  "mounts",                            what its helper mounts for it where the host sees it
 *  "devices":[..],"capabilities":[..],  beyond what every container has
 *  "published":[..],                    addresses of the host that lead to it
 *  "networks":[..],                     with every container there, and where the host routes to
 *  "etcd":{"read":[..],"write":[..]}}   keys; one that ends in / stands for all below. Missing when
 *                                       etcd does not answer
 */
#ifndef ENV_REACH_H
#define ENV_REACH_H

#include "env/env.h"

/* Sets "reach" of `shown`, which has the container's parts already. `inspected` is Docker's. */
void reach_set(struct node *shown, struct env *env, const struct node *inspected,
               const char *component, const char *instance);

#endif

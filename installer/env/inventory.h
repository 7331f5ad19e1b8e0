/* SPDX-License-Identifier: MIT */
/* The instances as Ansible's dynamic inventory has them: those whose container runs sshd, in a
 * group for each component ("ceph_osd"), with the address, key and pinned host key of each. */
#ifndef ENV_INVENTORY_H
#define ENV_INVENTORY_H

#include "env/env.h"

/* What `--list` prints. Writes ssh_key (0600) and ssh_known_hosts into the environment's folder,
 * beside the environment key that they derive from: Ansible's ssh reads files. Needs SSH. Owned. */
int inventory_list(struct node **out, struct env *env, struct err *e);
/* What `--host NAME` prints. ERR_NOTFOUND: there is no such instance, or it runs no sshd. */
int inventory_host(struct node **out, struct env *env, const char *name, struct err *e);

#endif

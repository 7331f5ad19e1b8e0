/* SPDX-License-Identifier: MIT */
/*
 * Which SSH client keys of an environment are good: a key derives from the environment key and the
 * number of its generation. One is in use; during a rotation there is a second one:
 *
 *   generation 1                    at rest; what every environment begins with
 *   generation 1, next 2            both are accepted, the old one is used
 *   generation 2, previous 1        the old one is being taken out of the instances
 *   generation 2                    at rest
 *
 * It stands in etcd, as `ssh` of the spec key, and as a copy beside the environment key for when
 * etcd does not answer. A rotation that was cut off goes on from what stands there.
 */
#ifndef MODEL_SSH_STATE_H
#define MODEL_SSH_STATE_H

#include "base/err.h"
#include "conf/node.h"

struct ssh_state {
    unsigned generation;     /* 0 counts as 1 */
    unsigned next, previous; /* 0: none */
};

/* From the value of the spec key, or that file; whatever is not there or wrong is the beginning. */
void ssh_state_read(struct ssh_state *out, const struct node *root);
/* Into it; the beginning leaves no trace. */
void ssh_state_write(struct node *root, const struct ssh_state *s);
/* The copy in the environment's folder. */
void ssh_state_load(struct ssh_state *out, const char *folder);
int ssh_state_save(const char *folder, const struct ssh_state *s, struct err *e);

#endif

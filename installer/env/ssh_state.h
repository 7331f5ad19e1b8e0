/* SPDX-License-Identifier: MIT */
/* Which generation of the SSH key is in use: env->key.ssh, as etcd has it. */
#ifndef ENV_SSH_STATE_H
#define ENV_SSH_STATE_H

#include "env/env.h"

/* Asks etcd, for two seconds; what it says is kept beside the key, for when it does not answer.
 * Needs the containers. */
void env_ssh_state_ask(struct env *env);
/* Takes what was read or written elsewhere. */
void env_ssh_state_keep(struct env *env, const struct ssh_state *s);

#endif

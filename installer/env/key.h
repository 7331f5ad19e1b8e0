/* SPDX-License-Identifier: MIT */
/* The key of an environment, and what to say of one whose key is not at hand. */
#ifndef ENV_KEY_H
#define ENV_KEY_H

#include "env/env.h"

/* env->key, once. ERR_NOTFOUND: there is no such environment, neither a key nor anything at Docker.
 * ERR_AUTH: there is one, and the key is elsewhere, lost or damaged; the error says where it may be
 * and what is possible without it. Docker is asked only when the key cannot be had. */
int env_key_load(struct env *env, struct err *e);
/* ERR_AUTH, as above, when Docker has an environment of this name that another key made. For verbs
 * that found nothing of ours. */
int env_key_check(struct env *env, struct err *e);
/* Paths of the keys that environments were made with, as their networks and volumes tell: UUID ->
 * path, in a map. */
int env_key_paths(struct node **out, struct env *env, struct err *e);

#endif

/* SPDX-License-Identifier: MIT */
/* Who changed what, and when. */
#ifndef ENV_HISTORY_H
#define ENV_HISTORY_H

#include "env/env.h"

/* List of {"time","who","what","target","reason","name","old","new","instance"}, the oldest first,
 * owned; what an entry does not have is left out. `target`: only a component or COMPONENT/INSTANCE,
 * `key`: only this key of it; NULL: all. Needs NAME and ETCD. */
int env_history(struct node **out, const struct env *env, const char *target, const char *key,
                struct err *e);

#endif

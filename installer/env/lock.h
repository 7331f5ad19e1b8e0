/* SPDX-License-Identifier: MIT */
/* Who holds the environment's lock, and taking it away from a run that is gone. */
#ifndef ENV_LOCK_H
#define ENV_LOCK_H

#include "env/env.h"

/* *holder is a map of what the holder said of itself, owned; NULL: nobody holds it. Needs NAME and
 * ETCD. */
int env_lock_holder(struct node **holder, const struct env *env, struct err *e);
/* Takes the lock away from its holder, with an entry in the audit trail. *holder as above; NULL:
 * there was nothing to do. Should the holder still be at work, its next write is refused. */
int env_lock_break(struct node **holder, struct env *env, const char *reason, struct err *e);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * All about one instance, from its row of the status and Docker's inspection of its container, in
 * our own words: the row's fields and {"host","container":{..},"image":{..},"ssh","ports",
 * "volumes","folders","networks","devices","capabilities","memory_limit","reach" (reach.h)};
 * without a container "host" alone. Neither variables nor arguments, where others keep passwords.
 */
#ifndef ENV_SHOW_H
#define ENV_SHOW_H

#include "env/env.h"

/* Owned. `status` is of status_read; one without a container counts too. Needs the containers. */
int show_instance(struct node **out, struct env *env, const struct node *status, const char *word,
                  struct err *e);

#endif

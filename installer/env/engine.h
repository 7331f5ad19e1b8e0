/* SPDX-License-Identifier: MIT */
#ifndef ENV_ENGINE_H
#define ENV_ENGINE_H

#include "env/env.h"

/* env->engine, once: the one at the address that was given, else the one that Docker's own client
 * is told of; with the proxies that it gives builds. */
int env_engine_open(struct env *env, struct err *e);

#endif

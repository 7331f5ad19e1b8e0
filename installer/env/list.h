/* SPDX-License-Identifier: MIT */
#ifndef ENV_LIST_H
#define ENV_LIST_H

#include "env/env.h"

/* Adds {"environment","uuid","instances","running","state","key","key_path"} for every environment
 * that has a key in our home ("key": true) or containers on this engine. Needs ENGINE alone. */
int env_list(struct node *list, struct env *env, struct err *e);

#endif

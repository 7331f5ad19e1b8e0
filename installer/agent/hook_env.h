/* SPDX-License-Identifier: MIT */
/* The environment of hooks in a file (mode 0600, NUL-separated), for `slipway-agent hook NAME` from
 * outside: it runs with exactly what the agent's own hooks have. */
#ifndef AGENT_HOOK_ENV_H
#define AGENT_HOOK_ENV_H

#include "base/err.h"
#include "base/strv.h"

/* In a file of run_dir, which is for root alone: `slipway-agent hook` starts hooks with it. */
int hook_env_save(const struct strv *env, const char *run_dir, struct err *e);
/* Adds to env. ERR_NOTFOUND: nothing was saved yet. */
int hook_env_load(struct strv *env, const char *run_dir, struct err *e);

#endif

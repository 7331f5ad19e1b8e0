/* SPDX-License-Identifier: MIT */
/* sshd for components that ask for it: only the operator's key, only root, the instance's own host
 * key. init starts it for each connection, so there is nothing to look after, and what it reads
 * (authorized_keys, which files.c writes) may change at any time. */
#ifndef AGENT_SSHD_H
#define AGENT_SSHD_H

#include <stdbool.h>

#include "agent/tree.h"
#include "base/err.h"
#include "base/strv.h"

#define SSHD_SERVICE "sshd"
enum { SSHD_PORT = 22 };

/* The keys are there: the manifest or the environment document asks for sshd. */
bool sshd_is_wanted(const struct tree *t);
/* The text of its configuration. Owned. */
char *sshd_config(const char *run_dir);
/* The command line for one connection, for init, once the configuration is written and sshd_prepare
 * was called. */
void sshd_argv(struct strv *out, const char *run_dir);
/* Makes what sshd expects to be there. */
int sshd_prepare(struct err *e);

#endif

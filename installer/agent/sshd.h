/* SPDX-License-Identifier: MIT */
/* sshd for components that ask for it: only the operator's key, only root, the instance's own host
 * key. */
#ifndef AGENT_SSHD_H
#define AGENT_SSHD_H

#include "agent/files.h"

#define SSHD_SERVICE "sshd"

/* The keys are there: the manifest or the environment document asks for sshd. */
bool sshd_is_wanted(const struct tree *t);
/* Host key, authorized key and configuration; secrets ssh_host_key and ssh_authorized_key. */
int sshd_add_files(struct files *f, const struct files_source *s, struct err *e);
/* The command line, for init. */
void sshd_argv(struct strv *out, const char *run_dir);
/* Makes what sshd expects to be there. */
int sshd_prepare(struct err *e);

#endif

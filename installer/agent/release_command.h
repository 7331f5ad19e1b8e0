/* SPDX-License-Identifier: MIT */
/*
 * slipway-agent release: what is done in a container to exchange its agent (base/release.h). The
 * image's agent does it, which no release replaces.
 *
 *   release status                 {"current","previous","trial","waits","digest",
 *                                  "bad":{DIGEST: why}}
 *   release activate DIGEST [MS]   what lies in .DIGEST.new is looked at, gets its name, and is
 *                                  current; waits for the end of its trial of MS:
 *                                  {"result":"works"|"back"|"waits"|"unknown"|"unchanged","why"}
 *   release discard DIGEST         what lies in .DIGEST.new is taken away
 *   release rollback [MS]          the same with what ran before
 *   release forced                 one of these, or rsync to .DIGEST.new, as SSH_ORIGINAL_COMMAND
 *                                  says: the only command of the key that deploys
 */
#ifndef AGENT_RELEASE_COMMAND_H
#define AGENT_RELEASE_COMMAND_H

#include "agent/options.h"

/* The exit status, or -1. */
int release_command(const struct options *o, struct err *e);

#endif

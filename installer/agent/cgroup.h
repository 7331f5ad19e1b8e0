/* SPDX-License-Identifier: MIT */
/* What the kernel says of the container's memory. */
#ifndef AGENT_CGROUP_H
#define AGENT_CGROUP_H

#include <stdint.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

/* How many processes of the container the kernel has killed because its memory ran out; 0 also when
 * nobody counts. `root` is CGROUP_ROOT, of either version. */
int64_t cgroup_oom_kills(const char *root);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Gives up for good what mounting needs. A container that may mount for itself (CAP_SYS_ADMIN) is
 * root on the host: it sees kernel settings, devices and namespaces. So there only one small
 * process keeps the capability (init/mounter.c), and everything else runs without it.
 */
#ifndef BASE_CONFINE_H
#define BASE_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

/* Variables of a container that shows mounts to the host, set when it is made: the folder where its
 * helper mounts, and "fuse" or "fuse,ext4". */
#define CONFINE_FOLDER_ENV "SLIPWAY_MOUNT_FOLDER"
#define CONFINE_KINDS_ENV "SLIPWAY_MOUNT_KINDS"

/* Whether this process may mount. */
bool confine_can_mount(void);
/*
 * Drops SYS_ADMIN, MKNOD and SETPCAP from every set, and lets no program that is executed get them
 * back; forbids, for itself and its children, the system calls that mount, change namespaces or
 * make them, as Docker's own profile does for containers without SYS_ADMIN. errno on -1.
 */
int confine(void);
/* Keeps the capabilities of `mask` (1 << CAP_...) alone. errno on -1. */
int confine_keep(uint64_t mask);

#endif

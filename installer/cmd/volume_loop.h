/* SPDX-License-Identifier: MIT */
/*
 * The loop device behind `mount -o loop FILE`. umount(2) ends a mount, not always the file system:
 * a container that is being started has a copy of all mounts for a moment, and the file system
 * lives on in it and writes its last blocks when that goes.
 */
#ifndef CMD_VOLUME_LOOP_H
#define CMD_VOLUME_LOOP_H

#include <stdint.h>

#include "base/err.h"

/* Until no loop device has `file` behind it (/sys/block/loop<n>/loop/backing_file, loop(4)), at
 * most until the deadline (clock_deadline): ERR_CONFLICT then. */
int volume_loop_wait(const char *file, int64_t deadline, struct err *e);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The loop device behind a mounted file. umount(2) ends a mount, not always the file system: a
 * container that is being started has a copy of all mounts for a moment, and the file system
 * lives on in it and writes its last blocks when that goes.
 */
#ifndef ENV_VOLUME_LOOP_H
#define ENV_VOLUME_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/until.h"

/*
 * Puts the open file behind a free loop device, by its descriptor: never by a name, under which
 * there may be another file by now. The device is free again when nobody has it open or mounted:
 * *held, a descriptor, is the caller's to close when it is mounted. *device is its path, owned.
 */
int volume_loop_attach(int *held, char **device, int file, bool read_only, struct err *e);
/* Whether a file system on a loop device begins at this folder. */
bool volume_loop_is_mounted(const char *dir);
/* Until no loop device has `file` behind it (/sys/block/loop<n>/loop/backing_file, loop(4)), at
 * most until the deadline, ERR_CONFLICT then; ERR_INTERRUPTED when it is cancelled. */
int volume_loop_wait(const char *file, struct until until, struct err *e);

#endif

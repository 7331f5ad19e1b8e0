/* SPDX-License-Identifier: MIT */
/*
 * The first file system of a volume that holds nothing. That it was begun is written in the
 * volume's desired state (`formatting: true`) before mkfs and taken away after it: what a mkfs that
 * was killed leaves is no file system and not blank either, and without that word it would look
 * like somebody's data.
 */
#ifndef CMD_VOLUME_FORMAT_H
#define CMD_VOLUME_FORMAT_H

#include "cmd/volume_run.h"

struct volume_format {
    const char *name, *file;
    bool read_only;
    /* A descriptor that mkfs inherits, so that it goes on holding the lock behind it when this
     * process is killed; -1: none. */
    int held;
};
/*
 * Formats a volume that is blank, or that was when formatting it was begun and holds no more now
 * than what a mkfs leaves that did not get to its end: its first 2 KiB are zeros, where all but the
 * rarest of what is kept on disks begins, and blkid knows nothing of it. Everything else is left as
 * it is, which is no error. What *r has read is old afterwards.
 */
int volume_format(struct volume_run *r, const struct volume_format *f, struct err *e);
/* Takes the mark away before somebody else gets the volumes for writing. What *r has read is old
 * afterwards only when there was one. */
int volume_format_forget(struct volume_run *r, const struct strv *names, struct err *e);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The first file system of a volume that holds nothing. That it was begun is written in the
 * volume's desired state (`formatting: true`) before mkfs and taken away after it: what a mkfs that
 * was killed leaves is neither a file system nor blank, and without the mark it would look like
 * somebody's data.
 */
#ifndef ENV_VOLUME_FORMAT_H
#define ENV_VOLUME_FORMAT_H

#include "env/volume_run.h"

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
 * it is, which is not an error. What *r has read is old afterwards.
 */
int volume_format(struct volume_run *r, const struct volume_format *f, struct err *e);
/* Takes the mark of these volumes out of the map; whether there was any. For whoever hands them to
 * a writer, which may put anything there. */
bool volume_format_unmark(const struct volume_maps *m, const struct strv *names);

#endif

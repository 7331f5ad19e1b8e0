/* SPDX-License-Identifier: MIT */
/* One builder of a tag at a time on this machine, threads and processes alike. It spares work only:
 * a build done twice is harmless, so where no lock file can be made there is no lock. */
#ifndef ENGINE_TAG_LOCK_H
#define ENGINE_TAG_LOCK_H

#include "base/err.h"
#include "base/until.h"

struct tag_lock {
    char *path;
    int fd;
};

/* `dir`: where the lock file is; NULL: /run/lock or /tmp. ERR_TIMEOUT at the deadline,
 * ERR_INTERRUPTED when it is cancelled. */
int tag_lock_take(struct tag_lock *l, const char *ref, const char *dir, struct until until,
                  struct err *e);
void tag_lock_release(struct tag_lock *l);

#endif

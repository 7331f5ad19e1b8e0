/* SPDX-License-Identifier: MIT */
/* One builder of a tag at a time on this machine, threads and processes alike. It spares work only:
 * a build done twice is harmless, so where no lock file can be made there is no lock. */
#ifndef ENGINE_TAG_LOCK_H
#define ENGINE_TAG_LOCK_H

#include <stdint.h>

#include "base/err.h"

struct tag_lock {
    char *path;
    int fd;
};

/* ERR_TIMEOUT at the deadline, ERR_INTERRUPTED on Ctrl-C. */
int tag_lock_take(struct tag_lock *l, const char *ref, int64_t deadline, struct err *e);
void tag_lock_release(struct tag_lock *l);

#endif

/* SPDX-License-Identifier: MIT */
/* What a file system has left, judged. Pure. */
#ifndef CHECK_HOST_H
#define CHECK_HOST_H

#include <sys/statvfs.h>

#include "check/check.h"

/* FAILED: under 3 % and 1 GiB, or hardly an inode; WARNING: under 10 % and 10 GiB. */
enum check_result check_host_space(const struct statvfs *v);

#endif

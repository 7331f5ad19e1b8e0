/* SPDX-License-Identifier: MIT */
/* The commands of jobs that carry a file: for any POSIX shell, also busybox's. Pure. */
#ifndef HOST_COPY_H
#define HOST_COPY_H

#include <stdint.h>

/* Writes the job's input, which is `size` bytes, to `path` with this mode: all of it or nothing, so
 * that a connection that ends half-way leaves what was there. Owned. */
char *copy_put_command(const char *path, uint64_t size, unsigned mode);
/* The job's output is the file, if its status is 0. Owned. */
char *copy_get_command(const char *path);

#endif

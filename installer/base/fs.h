/* SPDX-License-Identifier: MIT */
/* Files: read whole with a limit, write atomically, make directories. */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/strv.h"

/* Reads a regular file of at most max bytes. *out is owned, NUL-terminated behind *len (len may be
 * NULL; then a NUL byte inside is an error). ERR_NOTFOUND when there is none. Waits for nobody. */
int fs_read(char **out, size_t *len, const char *path, size_t max, struct err *e);
/* The same of what the caller of a program names, which may be a pipe too: /dev/stdin, <(...).
 * Waits for whoever writes to it. */
int fs_read_input(char **out, size_t *len, const char *path, size_t max, struct err *e);

/* Writes to a temporary name beside `path`, fsyncs, renames. Mode is set exactly, whatever the
 * umask. Owner is changed when uid or gid is not -1. */
struct fs_write_opts {
    mode_t mode;
    uid_t uid;
    gid_t gid;
};
int fs_write(const char *path, const void *data, size_t len, const struct fs_write_opts *o,
             struct err *e);

/* write(2) until all of it is written, to a file that blocks. errno on -1. */
int fs_write_all(int fd, const void *data, size_t len);
/*
 * The same with an end in sight, for a pipe or a terminal whose reader may stall: waits at most
 * wait_ms for room, then gives up with ETIMEDOUT. *written is how far it came. Other
 * writers to the same pipe, who may take the room in between, could make it block all the same.
 */
int fs_write_in_time(size_t *written, int fd, const void *data, size_t len, int64_t wait_ms);
/* Makes a name that was just made in the directory of `path` outlive a power cut. errno on -1. */
int fs_sync_dir_of(const char *path);
/* Puts /dev/null, for reading only, where one of stdin, stdout and stderr is closed: or the next
 * file or socket would be taken for it. First thing in main. */
void fs_open_standard(void);

/* Whether every byte of a file or device is zero. Only what the storage has is read, and no more
 * than 64 MiB of it: a longer one counts as one that holds something. */
int fs_is_blank(bool *blank, const char *path, struct err *e);

/* mkdir -p; the mode applies to directories it creates. */
int fs_mkdirs(const char *path, mode_t mode, struct err *e);
/* rm -rf without following links; fine when missing. */
int fs_remove_tree(const char *path, struct err *e);
/* Sorted names in a directory without . and .. */
int fs_list(struct strv *out, const char *path, struct err *e);
bool fs_exists(const char *path);
bool fs_is_executable(const char *path);
/* "a/b", owned. */
char *fs_join(const char *a, const char *b);
/* Last part of the path, borrowed. */
const char *fs_basename(const char *path);

#endif

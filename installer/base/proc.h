/* SPDX-License-Identifier: MIT */
/* Runs a program with argv, never through a shell; captured output with a limit; a deadline. */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/until.h"

struct proc_opts {
    const char *const *argv; /* argv[0] is searched in PATH */
    const char *const *env;  /* NULL: inherit */
    const char *cwd;         /* NULL: inherit */
    const void *input;       /* NULL: /dev/null */
    size_t input_len;
    bool inherit_in; /* the caller's, in place of `input` */
    /* At the deadline (clock.h), and when it is aborted, the process group gets SIGKILL:
     * ERR_TIMEOUT, ERR_INTERRUPTED. */
    int64_t deadline;
    const struct cancel *cancel; /* NULL: nobody cancels */
    uid_t uid;                   /* with set_user */
    gid_t gid;
    bool set_user;   /* setgroups(0)+setgid+setuid */
    struct buf *out; /* NULL: inherit; may equal err for both into one */
    struct buf *err; /* NULL: inherit */
};

/* *status is the exit code, or 128+signal. -1 only when it could not run or the deadline passed. */
int proc_run(int *status, const struct proc_opts *o, struct err *e);

#endif

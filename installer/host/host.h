/* SPDX-License-Identifier: MIT */
/*
 * Commands on many machines over SSH, from one thread. A `struct hosts` keeps one connection for
 * each target, made when the first job needs it and kept for the next; up to eight jobs at once use
 * it, further ones wait for their turn. A connection that was lost is made again for the jobs that
 * had not begun; one that had begun is never run twice.
 *
 * Host keys are pinned: a key that is not the target's is refused. Everything that waits has an
 * end: connecting its own, a job that of its `until`. relay.h hands the connections to programs
 * that would run `ssh`.
 *
 * One thread at a time uses a `struct hosts`; several threads may have one each.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/until.h"

struct hosts;

/* What ERR_AUTH says when it is our key that was refused, not the host key. */
#define HOST_REFUSED "sshd refused the key"

/* Copied by hosts_start. */
struct host_target {
    const char *name;        /* for messages and as its identity: "ceph-osd-1" */
    const char *address;     /* IPv4 or IPv6, as digits */
    int port;                /* 0: 22 */
    const char *user;        /* NULL: root */
    const char *host_key;    /* "ssh-ed25519 AAAA..."; NULL: none is known, which is refused */
    const char *private_key; /* OpenSSH's format, without a passphrase */
};

struct host_job {
    const char *command; /* for the target's shell; base/quote.h makes it of words */
    /* What it reads: these bytes, or this descriptor until its end; nothing: an empty input. */
    const void *input;
    size_t input_len;
    const int *input_fd;
    /* What it writes, stream 1 or 2, as it comes; NULL: dropped. -1 ends the job with that. */
    int (*output)(void *arg, int stream, const char *p, size_t len, struct err *e);
    void *arg;
    /* Or two descriptors for it, whose readers may be slow: the other side then waits for them, and
     * nobody else. The job ends with an error when nobody reads. NULL: `output`. */
    const int *output_fds;
    struct until until; /* the cancel ends it from the first time on */
    bool bulk;          /* much data: a larger window, faster over a long way */

    bool ended; /* the rest is what came of it */
    bool began; /* the command was handed over: something may have been done, whatever follows */
    int status; /* exit status, 128 + n for a signal; -1: none came, see error */
    char signal[16];   /* "KILL", or "" */
    int64_t took_ms;   /* from hosts_start to its end */
    uint64_t sent;     /* bytes of its input that were sent, */
    uint64_t received; /* and of both streams of its output that came */
    struct err error;  /* ERR_NONE: it ran to its end, whatever its status */
};

struct hosts_opts {
    int64_t connect_ms; /* for one connection to be ready; 0: 15 s */
    int64_t quiet_ms;   /* silence after which a connection is tried, 0: 15 s */
};

/* NULL: the defaults. */
struct hosts *hosts_new(const struct hosts_opts *o);
/* Ends what is under way, and every connection. NULL is fine. */
void hosts_free(struct hosts *h);
/* The job is borrowed until it has ended, with everything it points to. */
void hosts_start(struct hosts *h, const struct host_target *t, struct host_job *job);
/* Works on all jobs until at least one has ended, or `until` does. Returns how many are left. */
size_t hosts_turn(struct hosts *h, struct until until);
/* Until every job has ended, each at its own end; returns at once when there is none. */
void hosts_finish(struct hosts *h);
/*
 * A descriptor that somebody else has to look after: in a turn `ready` is called when it can be
 * read, and the turn ends. With a watch a turn waits also when there is no job. Borrowed until
 * hosts_unwatch, which `ready` may call.
 */
struct host_watch {
    int fd;
    void (*ready)(void *arg);
    void *arg;
    struct host_watch *next; /* the rest is of hosts.c */
    size_t poll_at;
    bool fired;
};
void hosts_watch(struct hosts *h, struct host_watch *w);
void hosts_unwatch(struct hosts *h, struct host_watch *w);
/* Ends a job that is under way, as if cancelled. Its command may go on where it runs. */
void hosts_cancel(struct hosts *h, struct host_job *job);

#endif

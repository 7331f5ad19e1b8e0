/* SPDX-License-Identifier: MIT */
/* rsync over the connections that host/relay.h hands out: several at once, each in a process, while
 * one thread keeps all connections. */
#ifndef ENV_RSYNC_H
#define ENV_RSYNC_H

#include "base/strv.h"
#include "host/relay.h"

struct rsync_job {
    struct strv argv; /* of rsync_begin, and what follows */
    int status;       /* of rsync; -1: it did not run, see error */
    char *printed;    /* on its standard output, owned */
    char *said;       /* of what went wrong, owned */
    struct err error; /* also when its status is not 0 */
    int64_t took_ms;
};

/* "rsync", and how it reaches its other side: by `program`, that of env_paths' relay. The name of a
 * host is one that was allowed. Without a program the job will have failed. */
void rsync_begin(struct rsync_job *job, const char *program, const struct relay *r);
/* Runs all of them, `parallel` at once. ERR_NOTFOUND in each: there is no rsync here. */
void rsync_run(struct rsync_job *jobs, size_t count, unsigned parallel, struct relay *r,
               struct until until);
void rsync_clear(struct rsync_job *job);

#endif

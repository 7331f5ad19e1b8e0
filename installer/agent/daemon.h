/* SPDX-License-Identifier: MIT */
/* The agent's end of the talk with slipway-init (base/supervise.h): what runs, and how it ended. */
#ifndef AGENT_DAEMON_H
#define AGENT_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/config.h"
#include "agent/user.h"
#include "base/supervise.h"
#include "model/manifest.h"

#define DAEMON_SERVICE "daemon"

struct daemon {
    int fd;
    int pid;                       /* of the main daemon; 0: it does not run */
    bool sshd;                     /* runs */
    bool started;                  /* since the last daemon_run */
    bool ended;                    /* since the last daemon_run */
    int status;                    /* its exit status then */
    char tail[SUPERVISE_TAIL_MAX]; /* and the end of what it printed, redacted */
    bool oom;          /* while it ran, memory ran out and the kernel killed a process */
    int64_t oom_kills; /* at its start */
    bool stopping;     /* the container ends */
    bool lost;         /* init is gone */
    unsigned agent_starts;
    int64_t since_ms; /* wall time of the daemon's start */
    struct supervise_msg *msg;
};

/* Reads the socket's number from the environment and the first STATE. ERR_USAGE without an init. */
int daemon_open(struct daemon *d, struct err *e);
void daemon_close(struct daemon *d);
/* Takes in what init says, for at most timeout_ms (0: only what is there). */
void daemon_pump(struct daemon *d, int timeout_ms);

struct daemon_run {
    const struct manifest *manifest;
    const struct config *config;
    const char *tag;
};
/* Starts the main daemon and waits for STARTED, after which it may have ended already: pid is 0
 * then and ended true. ERR_REMOTE with 126/127 in the message when it could not be started. */
int daemon_run(struct daemon *d, const struct daemon_run *r, struct err *e);
/* The same for sshd, which is not a reason to end. */
int daemon_run_sshd(struct daemon *d, const struct config *c, struct err *e);
/* Stops the daemon and waits for its end: its grace and a few seconds. */
int daemon_stop(struct daemon *d, int64_t grace_ms, struct err *e);
int daemon_signal(struct daemon *d, int number, struct err *e);
/* "the daemon ended with status 1: its last lines", with the reason when that is known. Owned. */
char *daemon_end_text(const struct daemon *d);
/* Says that this agent works: its release stays. */
int daemon_well(struct daemon *d, struct err *e);
/* Says that it cannot yet, because etcd does not answer. */
int daemon_waits(struct daemon *d, struct err *e);
/* Says that the agent gives up. */
void daemon_exit(struct daemon *d, int status);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Hooks: executables of the component, with a deadline. Their output goes to the log line by line
 * and its end is kept for the error. While one runs, `idle` is asked at least each 100 ms.
 */
#ifndef AGENT_HOOKS_H
#define AGENT_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"

enum hook_log {
    HOOK_LOG_INFO,  /* every line */
    HOOK_LOG_DEBUG, /* asked again and again: only for those who want to know */
};

/* EX_TEMPFAIL of sysexits.h: there is more to do than fits into one run. */
enum { HOOK_UNFINISHED = 75 };

struct hook_call {
    const char *path, *name;
    const struct strv *args; /* more arguments, NULL: none */
    const struct strv *env;
    const char *changed; /* SLIPWAY_CHANGED, NULL: none */
    bool data_lost;      /* SLIPWAY_DATA_LOST=1 */
    int64_t deadline;    /* clock.h */
    enum hook_log log;
    struct buf *out;  /* takes stdout instead of the log, NULL: none */
    bool *unfinished; /* takes whether it ended with HOOK_UNFINISHED, which is not a failure then */
    int wake_fd;      /* readable: `idle` is asked at once; -1: none */
    bool (*idle)(void *arg); /* true: kill the hook, ERR_INTERRUPTED; NULL: none */
    void *arg;
};

struct hook_result {
    int status;      /* exit status, 128+signal */
    char *last_line; /* of its output, "" when none; owned */
};
/* Frees what it owns. */
void hook_result_clear(struct hook_result *r);

/* -1 when it did not end well: could not run, deadline, interrupted. An exit status other than 0 is
 * no error here. `r` is filled in any case. */
int hook_run(struct hook_result *r, const struct hook_call *c, struct err *e);
/* The same, and a status other than 0 is ERR_REMOTE with the end of what it printed. */
int hook_must(const struct hook_call *c, struct err *e);

#endif

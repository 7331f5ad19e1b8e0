/* SPDX-License-Identifier: MIT */
/*
 * Commands on many targets at once, one after the other on each. A target is anything that there is
 * a connection to: an instance over SSH where sshd runs in its container, else through the Engine
 * API. One that fails does not hold up the others.
 */
#ifndef ENV_TARGETS_H
#define ENV_TARGETS_H

#include "env/env.h"
#include "env/ssh.h"

struct target {
    const char *name;       /* borrowed */
    bool over_ssh;          /* with `login`; else through the Engine API, in `container` */
    struct ssh_login login; /* owned */
    const char *container;  /* id, borrowed */
    struct err error;       /* why there is no way to it; its first command ends with that */
};

/* How an instance is reached; `name` is exact. Needs the containers. Clear it in every case. */
void target_of_instance(struct target *t, const struct env *env, const char *name);
void target_clear(struct target *t);

struct target_command {
    const char *const *argv; /* borrowed until it has ended, as the input */
    const void *input;       /* NULL: it gets none */
    size_t input_len;
};

struct target_end {
    const char *via; /* "ssh", "docker"; NULL: it was not begun */
    int status;      /* of the command; -1: none, see error */
    int64_t took_ms;
    struct err error; /* ERR_NONE: the command ran to its end, whatever its status */
};

/* Called one at a time, from any thread; `index` is that of the target. */
struct target_events {
    /* Fills *c, and returns false when the target has no command (any more). */
    bool (*next)(void *arg, size_t index, struct target_command *c);
    /* Through the Engine API it comes when the command has ended, at most TARGETS_OUTPUT_MAX bytes
     * of a stream: `cut` is called then. False when nobody reads it any more: all is given up. */
    bool (*output)(void *arg, size_t index, int stream, const char *p, size_t len);
    void (*cut)(void *arg, size_t index, int stream); /* or NULL */
    /* False: no other command begins, and those under way are given up. A target that had one left
     * then hears of it with ERR_INTERRUPTED. */
    bool (*ended)(void *arg, size_t index, const struct target_end *end);
    void *arg;
};
enum { TARGETS_OUTPUT_MAX = 16 << 20 };

struct targets_opts {
    const struct target *targets;
    size_t count;
    unsigned parallel;  /* targets at once; 0: all */
    int64_t timeout_ms; /* of all, unless the environment was opened with one */
};

/* Until every target has had its commands. -1: nothing was begun. */
int targets_run(struct env *env, const struct targets_opts *o, const struct target_events *ev,
                struct err *e);

#endif

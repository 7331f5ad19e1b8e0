/* SPDX-License-Identifier: MIT */
/*
 * New SSH keys for the operator and for deploying agents, in every instance that runs sshd: the
 * new one is added, tried by logging in, and only then the old one is taken out. Every step is
 * written down before it is taken (model/ssh_state.h): a rotation that was cut off goes on where it
 * was, and no key is lost on the way.
 */
#ifndef ENV_KEY_ROTATE_H
#define ENV_KEY_ROTATE_H

#include "env/env.h"

enum { KEY_ROTATE_TIMEOUT_MS = 60000 }; /* for the agents, in each of its two halves */

struct key_rotate_opts {
    int64_t lock_wait_ms;
    /* A step is done: one sentence, without the end of a line. May be NULL. */
    void (*step)(void *arg, const char *text);
    void *arg;
};
struct key_rotate {
    unsigned from, to;     /* generations */
    bool resumed;          /* an earlier run began it */
    struct strv instances; /* where it was tried */
    struct strv stopped;   /* these do not run, and read it when they start */
};

/* ERR_PARTIAL: an instance does not take it; both keys are good then, and the same call goes on.
 * Clear *out in every case. */
int env_key_rotate_ssh(struct key_rotate *out, struct env *env, const struct key_rotate_opts *o,
                       struct err *e);
void key_rotate_clear(struct key_rotate *r);

#endif

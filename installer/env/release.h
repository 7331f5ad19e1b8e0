/* SPDX-License-Identifier: MIT */
/*
 * Which agent runs in the containers, and putting another one there: by rsync over SSH, with a key
 * that may do nothing else, or through the Engine API where no sshd runs. What is done in a
 * container, the agent of its image does (agent/release_command.h), and its init decides whether a
 * release stays, also when whoever deployed it is gone. The daemon does not notice.
 */
#ifndef ENV_RELEASE_H
#define ENV_RELEASE_H

#include "base/release.h"
#include "crypto/crypto.h"
#include "env/env.h"

enum release_verb { RELEASE_VERB_STATUS, RELEASE_VERB_DEPLOY, RELEASE_VERB_ROLLBACK };

struct release_opts {
    enum release_verb verb;
    const char *file;     /* the agent to deploy; NULL: that of this program */
    bool again;           /* also one that was named bad */
    int64_t trial_ms;     /* how long one has to show that it works; 0: RELEASE_TRIAL_MS */
    int64_t lock_wait_ms; /* for another run that holds the environment's lock */
    const char *fault;    /* plan/fault.h, behind each step; NULL: none */
};

enum release_end {
    RELEASE_END_NONE,      /* see error */
    RELEASE_END_UNCHANGED, /* it is what ran already */
    RELEASE_END_WORKS,
    RELEASE_END_BACK, /* it was put back; see error */
};

struct release_result {
    const char *instance; /* borrowed */
    const char *via;      /* "ssh", "docker"; NULL: it was not begun */
    enum release_end end;
    char from[RELEASE_NAME_SIZE], to[RELEASE_NAME_SIZE]; /* "image" or a digest; "": not known */
    char previous[RELEASE_NAME_SIZE];
    char digest[RELEASE_NAME_SIZE]; /* of what ran */
    bool trial;                     /* what ran had not yet shown that it works, */
    bool waits;    /* and could not, because etcd did not answer: its trial goes on */
    uint64_t sent; /* bytes */
    int64_t took_ms;
    struct err error; /* ERR_NONE: it is as it was asked for */
};

/* An agent's file, *data is owned also when it is empty (ERR_CONFIG), and its digest. */
int release_load(char **data, size_t *len, char digest[CRYPTO_HEX_LEN], const char *path,
                 struct err *e);
/*
 * One for each of `names`, owned (free). Needs etcd; to change something it takes the environment's
 * lock. 0 whatever became of each; -1: nothing was begun. A release that is put back is named in
 * etcd, and refused from then on: ERR_CONFLICT.
 */
int release_run(struct release_result **results, struct env *env, const struct strv *names,
                const struct release_opts *o, struct err *e);

#endif

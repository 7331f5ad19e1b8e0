/* SPDX-License-Identifier: MIT */
/* One container whose agent is looked at or exchanged, for release.c and its two ways. */
#ifndef ENV_RELEASE_ITEM_H
#define ENV_RELEASE_ITEM_H

#include <pthread.h>

#include "base/buf.h"
#include "env/release.h"
#include "env/rsync.h"
#include "env/ssh.h"
#include "plan/fault.h"
#include "plan/lock.h"

struct release_item {
    struct release_result *result;
    struct release_work *w;
    bool over_ssh, done;
    char *name, *command;
    struct ssh_login login;
    struct host_target host;
    struct host_job job;
    struct buf said, errors;
};

struct release_work {
    struct env *env;
    const struct release_opts *o;
    struct until until;
    struct env_lock *lock;
    char *file; /* what is deployed: its path, without links, owned; */
    char *data; /* its bytes, owned; */
    size_t len;
    char digest[RELEASE_NAME_SIZE];
    int64_t trial_ms;
    unsigned parallel;
    struct release_item *items;
    size_t count;
    struct hosts *hosts;
    struct relay *relay;
    struct fault fault;
    pthread_mutex_t stepping; /* of `fault` */
};

/* A step is done: a test may end the process here. From any thread. */
void release_step(struct release_work *w);
/* Takes apart what `release status` says. */
int release_take_status(struct release_item *it, const char *said, struct err *e);
/* Once that is known: nothing is to be done. Else result->to is what is wanted. */
bool release_is_unchanged(const struct release_work *w, struct release_item *it);
/* Takes apart what `release activate` and `release rollback` say. */
int release_take_end(struct release_item *it, const char *said, struct err *e);
/* All that are reached over SSH. -1: nothing was begun. */
int release_over_ssh(struct release_work *w, struct err *e);
/* One that is not. */
int release_by_engine(struct release_work *w, struct release_item *it, struct engine *g,
                      struct err *e);
void release_item_clear(struct release_item *it);

#endif

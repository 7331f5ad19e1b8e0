/* SPDX-License-Identifier: MIT */
/*
 * One run at a time changes an environment. Two locks, one meaning: a file of the operator (works
 * before there is an etcd; the kernel lets go of it when the process dies), and a key in etcd with
 * a lease, kept alive by a thread, whose create revision fences every write.
 */
#ifndef PLAN_LOCK_H
#define PLAN_LOCK_H

#include <stdbool.h>

#include "etcd/etcd.h"

/* The command under which the controller mends by itself (env/keep.h). */
#define LOCK_KEEPER "keep"

struct env_lock;

struct lock_opts {
    const char *env, *folder;   /* its name, and the folder of its files */
    const char *command, *user; /* for the one who waits: "up", "ann"; never NULL */
    int64_t wait_ms;            /* how long to wait for another holder; 0: not at all */
    struct until until;         /* of waiting and taking; a first cancel ends the wait */
    bool unwritten; /* for what makes room: a home that is full or read-only does not keep from it,
                       though then others are not told who holds the lock */
    struct etcd *client;     /* its login is used, and it gets the login that took the lock, so
                                  that one does for both; NULL: nobody's */
    struct etcd_fence fence; /* taken only while that holds; the key is borrowed until lock_take */
};

/* Takes the operator's file. ERR_LOCKED says who holds it since when. */
int lock_open(struct env_lock **out, const struct lock_opts *o, struct err *e);
/* Takes the key too. A holder on this machine whose process is gone is put aside. */
int lock_take(struct env_lock *l, const struct link *root, struct err *e);
bool lock_is_taken(const struct env_lock *l);
/* True when the lease was lost, or was not renewed for two thirds of its time: whoever holds the
 * lock now must not be disturbed. */
bool lock_is_lost(struct env_lock *l);
/* While the holder itself replaces etcd, nobody else gets an answer there either: silence does not
 * lose the lock. Afterwards a lease that is gone does. */
void lock_set_etcd_away(struct env_lock *l, bool away);
/* Key and fencing token for guarded writes; the key is NULL before lock_take. */
const char *lock_key(const struct env_lock *l);
int64_t lock_revision(const struct env_lock *l);
/* Lets go of both; NULL is fine. */
void lock_close(struct env_lock *l);

#endif

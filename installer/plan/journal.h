/* SPDX-License-Identifier: MIT */
/*
 * What a run is doing, written before each call and after it: to a file of the operator at once; to
 * etcd, guarded by the lock, by a thread of its own that writes all there is in one transaction, so
 * that no operation waits for it. A run that ends well removes its journal; one that does not
 * leaves it for the next, which says what it resumes. The plan never reads it: only what is there
 * counts.
 */
#ifndef PLAN_JOURNAL_H
#define PLAN_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "etcd/etcd.h"
#include "plan/lock.h"
#include "plan/plan.h"

struct journal;
/* All borrowed until journal_close. */
struct journal_opts {
    const char *env, *folder;    /* its name, and the folder of its files */
    const struct env_lock *lock; /* NULL: none, and nothing goes to etcd */
    const struct link *root;     /* to etcd; NULL while there is none */
    struct until until;          /* of what is written to etcd */
    const char *fault;           /* fault.h; NULL: none */
    bool unwritten; /* goes on where the file cannot be written, which it warns of once */
};
int journal_open(struct journal **out, const struct journal_opts *o, struct err *e);
/* Not while etcd itself is being replaced (every entry would wait for it in vain) or removed. */
void journal_set_etcd_away(struct journal *j, bool away);
/* One line about the run that was interrupted here, owned; NULL when the last one ended well. */
char *journal_leftover(const char *folder);
/*
 * Before (state "started") and after (done, failed, unanswered) an operation. ERR_LOCKED when the
 * lock was lost: stop at once. Thread-safe.
 */
int journal_write(struct journal *j, const struct op *op, const char *state, struct err *e);
/*
 * A call goes on in the engine when its caller is killed, and what it makes may be seen late. Which
 * calls of the last run got no answer; makes_objects: a network, volume or container may come of
 * it. late: the deadline (clock_now_ms) after which none is to be expected; 0: there is none.
 */
struct journal_unanswered {
    bool makes_objects;
    int64_t late;
};
void journal_unanswered(struct journal_unanswered *u, const char *folder);
/* Waits until the last entry is `age_ms` old, or a first cancel. */
void journal_wait_out(const char *folder, int64_t age_ms, struct until until);
/* Removes the operator's file: there is nothing to resume. */
void journal_forget(const char *folder);
/* The run ended well: file and keys go, also those of interrupted runs before it. */
void journal_finish(struct journal *j);
/* What is not in etcd yet is written there, within seconds. NULL is fine. */
void journal_close(struct journal *j);

#endif

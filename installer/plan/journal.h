/* SPDX-License-Identifier: MIT */
/*
 * What a run is doing, written before each call and after it: to a file of the operator always, to
 * etcd as soon as it answers (guarded by the lock). A run that ends well removes its journal; one
 * that does not leaves it for the next, which says what it resumes. The plan never reads it: only
 * what is there counts.
 */
#ifndef PLAN_JOURNAL_H
#define PLAN_JOURNAL_H

#include "etcd/etcd.h"
#include "plan/lock.h"
#include "plan/plan.h"

struct journal;
int journal_open(struct journal **out, const char *env, struct err *e);
/* One line about the run that was interrupted here, owned; NULL when the last one ended well. */
char *journal_leftover(const char *env);
/*
 * Before (state "started") and after (done, failed) an operation. `c` NULL: only the file.
 * ERR_LOCKED when the lock was lost: stop at once. Thread-safe.
 */
int journal_write(struct journal *j, struct etcd *c, const struct env_lock *l, const struct op *op,
                  const char *state, struct err *e);
/*
 * Waits until whatever an interrupted run had asked of Docker is done: a call goes on in the engine
 * when its caller is killed, and what it makes would be seen too late. Nothing when there is no
 * leftover.
 */
void journal_settle(const char *env);
/* Removes the operator's file: there is nothing to resume. */
void journal_forget(const char *env);
/* The run ended well: file and keys go, also those of interrupted runs before it. */
void journal_finish(struct journal *j, struct etcd *c);
void journal_close(struct journal *j);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * How long a call may wait, and who may end it before that: a deadline and a cancel in one value,
 * handed down to every call that can wait. {0} waits for ever and nobody cancels it.
 */
#ifndef BASE_UNTIL_H
#define BASE_UNTIL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

/* One per task: told from any thread or a signal handler, asked by every thread of that task. */
struct cancel {
    atomic_int count; /* 0: go on, 1: finish what is under way and stop, 2: abort that too */
    int fds[2];       /* eventfds: readable from the first, from the second time on; -1: none */
};
/* Without its descriptors (there are none left) waits see it when they look, 200 ms later. */
void cancel_init(struct cancel *c);
void cancel_clear(struct cancel *c);
/* Counts one more. Safe in a signal handler. Returns the new count. */
int cancel_raise(struct cancel *c);
int cancel_count(const struct cancel *c);
/* For work that must be done although what came before it was cancelled: takes the count away and
 * returns it; from there on it counts again. cancel_put_back adds what was set aside. */
int cancel_set_aside(struct cancel *c);
void cancel_put_back(struct cancel *c, int count);

struct until {
    int64_t deadline;            /* clock.h; 0 or CLOCK_NEVER: none */
    const struct cancel *cancel; /* borrowed; NULL: nobody cancels */
};

/* From now on `ms`, cancelled by `cancel` (may be NULL). */
struct until until_in(int64_t ms, const struct cancel *cancel);
/* The same bounds, and a deadline that is no later than the one given; than `ms` from now. */
struct until until_before(struct until u, int64_t deadline);
struct until until_within(struct until u, int64_t ms);
/* The same cancel without a deadline: for what must be put right after the deadline passed. */
struct until until_no_deadline(struct until u);

/* Whether the deadline has passed; a cancel is asked for by the two below. */
bool until_passed(struct until u);
int64_t until_left_ms(struct until u);   /* 0 when passed, CLOCK_NEVER */
bool until_is_cancelled(struct until u); /* begin nothing new */
bool until_is_aborted(struct until u);   /* end what is under way */
/* Readable when the count rises above what it is now: for poll() beside what is waited for. -1:
 * nothing to wait for. */
int until_fd(struct until u);
/* How long a poll() may wait, at most `most_ms`: less when the deadline is nearer, and in short
 * turns when there is a cancel that cannot wake it. */
int until_poll_ms(struct until u, int64_t most_ms);
/* Sleeps `ms`, less when the deadline comes first or the count rises meanwhile. */
void until_sleep_ms(struct until u, int64_t ms);

/* For a call under way: 0 go on, or -1: ERR_INTERRUPTED when it is aborted, ERR_TIMEOUT "WHAT
 * before the deadline" when that passed. */
int until_check(struct until u, const char *what, struct err *e);
/* The same for a wait before anything is begun: a first cancel ends it. */
int until_check_wait(struct until u, const char *what, struct err *e);

#endif

/* SPDX-License-Identifier: MIT */
/* Runs N jobs on at most M threads and waits for all; and the waits of those that have threads of
 * their own. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* job(arg, i) for i in 0..count-1, from up to `threads` threads; count 1 or threads 1 stay here. */
void pool_run(size_t count, unsigned threads, void (*job)(void *arg, size_t i), void *arg);

/* A condition for pool_cond_wait, whose waits go by the monotonic clock: one by the wall clock
 * lasts as much longer as that is set back meanwhile. pthread_cond_destroy undoes it. */
void pool_cond_init(pthread_cond_t *cond);
/* With the mutex held: until it is signalled, for `ms` at the most, or for no reason at all. */
void pool_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t ms);

#endif

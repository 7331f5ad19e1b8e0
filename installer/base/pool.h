/* SPDX-License-Identifier: MIT */
/* Runs N jobs on at most M threads and waits for all. The only place, beside plan/execute, that
 * makes threads. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

/* job(arg, i) for i in 0..count-1, from up to `threads` threads; count 1 or threads 1 stay here. */
void pool_run(size_t count, unsigned threads, void (*job)(void *arg, size_t i), void *arg);

#endif

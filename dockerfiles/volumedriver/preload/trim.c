/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into qemu-storage-daemon. Some ten times a second, whenever nothing happened for 10 ms,
 * QEMU gives all memory back to the kernel that is free at that moment: the buffers of requests,
 * which the next ones then fault in again, page by page. Measured with random reads: a tenth of its
 * processor time. Once a minute is enough for what a burst left behind.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <stdatomic.h>
#include <time.h>

enum { SECONDS_BETWEEN = 60 };

typedef int trim_fn(size_t keep);

int malloc_trim(size_t keep)
{
    static atomic_long next;
    struct timespec t;
    long due = atomic_load(&next);
    trim_fn *real = (trim_fn *)dlsym(RTLD_NEXT, "malloc_trim");
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    if (!real || t.tv_sec < due ||
        !atomic_compare_exchange_strong(&next, &due, t.tv_sec + SECONDS_BETWEEN))
        return 0;
    return real(keep);
}

/* SPDX-License-Identifier: MIT */
/* The seam: a test that wraps these rules time for everything in clock.c and above. */
#include <errno.h>
#include <time.h>

#include "base/clock.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_lease_ms(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

int64_t clock_wall_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

void clock_sleep_ms(int64_t ms)
{
    struct timespec left;

    if (ms <= 0)
        return;
    left = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

/* SPDX-License-Identifier: MIT */
#include "base/sig.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

enum { SIG_AT_ONCE = 3, SIG_STATUS = 130 };

static atomic_int interrupts; /* lock-free, so that a signal handler may count */

static void count(int number)
{
    (void)number;
    /* Whatever does not look at the count, a call with a long deadline for instance. */
    if (atomic_fetch_add(&interrupts, 1) + 1 >= SIG_AT_ONCE)
        _exit(SIG_STATUS);
}

void sig_setup(void)
{
    struct sigaction act = {.sa_handler = count, .sa_flags = SA_RESTART};

    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    act.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &act, NULL);
}

int sig_interrupts(void)
{
    return atomic_load(&interrupts);
}

int sig_set_aside(void)
{
    return atomic_exchange(&interrupts, 0);
}

void sig_put_back(int taken)
{
    atomic_fetch_add(&interrupts, taken);
}

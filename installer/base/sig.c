/* SPDX-License-Identifier: MIT */
#include "base/sig.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

enum { SIG_AT_ONCE = 3, SIG_STATUS = 130 };

static struct cancel interrupts = {.fds = {-1, -1}};

static void count(int number)
{
    (void)number;
    /* Whatever does not look at the count, a write to a full pipe for instance. */
    if (cancel_raise(&interrupts) >= SIG_AT_ONCE)
        _exit(SIG_STATUS);
}

void sig_setup(void)
{
    struct sigaction act = {.sa_handler = count, .sa_flags = SA_RESTART};

    cancel_clear(&interrupts);
    cancel_init(&interrupts);
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    act.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &act, NULL);
}

struct cancel *sig_cancel(void)
{
    return &interrupts;
}

int sig_interrupts(void)
{
    return cancel_count(&interrupts);
}

/* SPDX-License-Identifier: MIT */
#include "base/sig.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

enum { SIG_AT_ONCE = 3, SIG_STATUS = 130 };

static struct cancel interrupts = {.fds = {-1, -1}};

static volatile sig_atomic_t hung_up;

static void count(int number)
{
    /* A terminal that is closed says so twice, once itself and once through its shell: one Ctrl-C,
     * after which what is under way is finished. */
    if (number == SIGHUP && hung_up++)
        return;
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

void sig_add_hangup(void)
{
    struct sigaction act = {.sa_handler = count, .sa_flags = SA_RESTART}, before;

    sigemptyset(&act.sa_mask);
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &act, NULL);
}

struct cancel *sig_cancel(void)
{
    return &interrupts;
}

int sig_interrupts(void)
{
    return cancel_count(&interrupts);
}

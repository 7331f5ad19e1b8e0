/* SPDX-License-Identifier: MIT */
#include "base/until.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

enum { TURN_MS = 200, POLL_MAX_MS = 3600 * 1000 };

void cancel_init(struct cancel *c)
{
    atomic_init(&c->count, 0);
    for (size_t i = 0; i < ARRAY_LEN(c->fds); i++)
        c->fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void cancel_clear(struct cancel *c)
{
    for (size_t i = 0; i < ARRAY_LEN(c->fds); i++) {
        if (c->fds[i] >= 0)
            close(c->fds[i]);
        c->fds[i] = -1;
    }
}

/* Makes readable what the count says. Only calls that are safe in a signal handler. */
static void wake(struct cancel *c, int count)
{
    static const uint64_t one = 1;
    int sys = errno;

    for (int i = 0; i < (int)ARRAY_LEN(c->fds); i++)
        if (count > i && c->fds[i] >= 0 && write(c->fds[i], &one, sizeof(one)) < 0)
            continue; /* full: it is readable */
    errno = sys;
}

int cancel_raise(struct cancel *c)
{
    int count = atomic_fetch_add(&c->count, 1) + 1;

    wake(c, count);
    return count;
}

int cancel_count(const struct cancel *c)
{
    return atomic_load(&c->count);
}

int cancel_set_aside(struct cancel *c)
{
    int count = atomic_exchange(&c->count, 0);
    uint64_t ignored;

    for (size_t i = 0; i < ARRAY_LEN(c->fds); i++)
        while (c->fds[i] >= 0 && read(c->fds[i], &ignored, sizeof(ignored)) > 0)
            ;
    wake(c, cancel_count(c)); /* one that came meanwhile */
    return count;
}

void cancel_put_back(struct cancel *c, int count)
{
    wake(c, atomic_fetch_add(&c->count, count) + count);
}

struct until until_in(int64_t ms, const struct cancel *cancel)
{
    return (struct until){.deadline = clock_deadline(ms), .cancel = cancel};
}

struct until until_before(struct until u, int64_t deadline)
{
    if (deadline && (!u.deadline || deadline < u.deadline))
        u.deadline = deadline;
    return u;
}

struct until until_within(struct until u, int64_t ms)
{
    return until_before(u, clock_deadline(ms));
}

struct until until_no_deadline(struct until u)
{
    return (struct until){.cancel = u.cancel};
}

int64_t until_left_ms(struct until u)
{
    return u.deadline ? clock_left_ms(u.deadline) : CLOCK_NEVER;
}

bool until_passed(struct until u)
{
    return until_left_ms(u) == 0;
}

static int count_of(struct until u)
{
    return u.cancel ? cancel_count(u.cancel) : 0;
}

bool until_is_cancelled(struct until u)
{
    return count_of(u) > 0;
}

bool until_is_aborted(struct until u)
{
    return count_of(u) > 1;
}

int until_fd(struct until u)
{
    int count = count_of(u);

    return u.cancel && count < (int)ARRAY_LEN(u.cancel->fds) ? u.cancel->fds[count] : -1;
}

int until_poll_ms(struct until u, int64_t most_ms)
{
    int64_t left = until_left_ms(u);

    if (most_ms > left)
        most_ms = left;
    if (most_ms > TURN_MS && u.cancel && until_fd(u) < 0)
        most_ms = TURN_MS;
    return (int)(most_ms < POLL_MAX_MS ? most_ms : POLL_MAX_MS);
}

void until_sleep_ms(struct until u, int64_t ms)
{
    int64_t end = clock_deadline(ms < until_left_ms(u) ? ms : until_left_ms(u));
    int before = count_of(u);

    if (!u.cancel) {
        clock_sleep_ms(clock_left_ms(end));
        return;
    }
    while (count_of(u) == before && !clock_passed(end)) {
        struct pollfd p = {.fd = until_fd(u), .events = POLLIN};

        poll(&p, 1, until_poll_ms(u, clock_left_ms(end)));
    }
}

static int check(struct until u, bool ended, const char *what, struct err *e)
{
    if (ended)
        return err_set(e, ERR_INTERRUPTED, "interrupted");
    if (until_passed(u))
        return err_set(e, ERR_TIMEOUT, "%s before the deadline", what);
    return 0;
}

int until_check(struct until u, const char *what, struct err *e)
{
    return check(u, until_is_aborted(u), what, e);
}

int until_check_wait(struct until u, const char *what, struct err *e)
{
    return check(u, until_is_cancelled(u), what, e);
}

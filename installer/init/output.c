/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { FLUSH_MS = 500, ROUNDS_MAX = 64 };

static const int targets[] = {STDOUT_FILENO, STDERR_FILENO};

bool output_open(struct output *o)
{
    for (size_t i = 0; i < 2; i++) {
        int pair[2];

        /* A terminal is for the daemon itself: it asks for its size, and prints otherwise there. */
        if (isatty(targets[i]) || pipe2(pair, O_CLOEXEC) < 0)
            return false;
        fcntl(pair[0], F_SETFL, O_NONBLOCK);
        o->out[i] = pair[0];
        o->in[i] = pair[1];
    }
    return true;
}

void output_poll(const struct output *o, struct pollfd fds[2])
{
    for (size_t i = 0; i < 2; i++)
        fds[i] = o->held[i].len ? (struct pollfd){.fd = targets[i], .events = POLLOUT}
                                : (struct pollfd){.fd = o->out[i], .events = POLLIN};
}

static void remember(struct output *o, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        o->tail[o->tail_len++ % sizeof(o->tail)] = text[i];
}

/* How much of it to pass on: whole lines when there is more to come, so that nobody else's line
 * gets between. */
static size_t whole_lines(const struct output_held *h)
{
    const char *end = h->len == sizeof(h->text) ? memrchr(h->text, '\n', h->len) : NULL;

    return end ? (size_t)(end - h->text) + 1 : h->len;
}

static bool writable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, timeout_ms) > 0;
}

/* False when the reader takes nothing now. */
static bool pass_held(struct output_held *h, int target, int timeout_ms)
{
    size_t len = whole_lines(h);
    ssize_t n;

    if (!writable(target, timeout_ms))
        return false;
    n = write(target, h->text, len);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n < 0) /* nobody reads it, or the disk is full: it is lost, and the daemon goes on */
        n = (ssize_t)len;
    h->len -= (size_t)n;
    memmove(h->text, h->text + n, h->len);
    return true;
}

static bool pass_one(struct output *o, size_t i, int timeout_ms)
{
    struct output_held *h = &o->held[i];
    ssize_t n = read(o->out[i], h->text + h->len, sizeof(h->text) - h->len);

    if (n > 0) {
        remember(o, h->text + h->len, (size_t)n);
        h->len += (size_t)n;
    }
    return h->len && pass_held(h, targets[i], timeout_ms);
}

void output_pass(struct output *o)
{
    /* So many at a time: signals and deadlines must not starve behind a chatty daemon. */
    for (size_t i = 0; i < 2; i++)
        for (int round = 0; round < ROUNDS_MAX && pass_one(o, i, 0); round++)
            ;
}

void output_flush(struct output *o)
{
    for (size_t i = 0; i < 2; i++)
        for (int round = 0; round < ROUNDS_MAX && pass_one(o, i, FLUSH_MS); round++)
            ;
}

void output_forget(struct output *o)
{
    o->tail_len = 0;
}

void output_tail(const struct output *o, char *out)
{
    size_t len = o->tail_len < sizeof(o->tail) - 1 ? o->tail_len : sizeof(o->tail) - 1;
    bool cut = len < o->tail_len;
    char *to = out;

    for (size_t i = o->tail_len - len; i < o->tail_len; i++) {
        char c = o->tail[i % sizeof(o->tail)];

        if (cut) /* the rest of a line that began earlier */
            cut = c != '\n';
        else if ((unsigned char)c >= 0x20 || c == '\n' || c == '\t')
            *to++ = c;
    }
    while (to > out && (to[-1] == '\n' || to[-1] == ' '))
        to--;
    *to = '\0';
}

/* SPDX-License-Identifier: MIT */
#include "host/outlet.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { ATOMIC = 4096 }; /* PIPE_BUF: a pipe that poll calls writable takes so much at once */

void outlet_put(struct outlet *o, const char *p, size_t len)
{
    free(o->piece);
    o->piece = mem_alloc(len);
    memcpy(o->piece, p, len);
    o->len = len;
    o->sent = 0;
}

bool outlet_is_full(const struct outlet *o)
{
    return o->sent < o->len;
}

/* The descriptor may be shared with a program that wants it to block. */
static bool has_room(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, 0) > 0;
}

int outlet_flush(struct outlet *o, int fd, struct err *e)
{
    while (outlet_is_full(o)) {
        size_t left = o->len - o->sent;
        ssize_t n;

        if (!has_room(fd))
            return 0;
        n = write(fd, o->piece + o->sent, left < ATOMIC ? left : ATOMIC);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (n < 0) {
            o->len = o->sent = 0;
            return err_sys(e, "passing on its output");
        }
        o->sent += (size_t)n;
    }
    return 1;
}

void outlet_clear(struct outlet *o)
{
    free(o->piece);
    *o = (struct outlet){0};
}

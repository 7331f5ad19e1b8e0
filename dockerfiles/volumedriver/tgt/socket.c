/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into tgtd. It sends an answer's head and its data by a call each, with two or three
 * around them that tell the kernel to hold the first back (TCP_CORK). Here the head waits in
 * memory and goes together with the data. And when the other side has no room, tgtd asks again and
 * again until there is some; here that question sleeps.
 *
 * What tgtd writes between TCP_CORK on and off is all that is touched, and it does so in one
 * thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* A head has 48 bytes and a checksum of 4; a descriptor over the limit is left alone. */
enum { HEAD_MAX = 64, FDS_MAX = 8192, PATIENCE_MS = 100 };

static struct corked {
    bool on;
    unsigned char bytes;
    char head[HEAD_MAX];
} table[FDS_MAX];

static struct corked *find(int fd)
{
    return fd >= 0 && fd < FDS_MAX && table[fd].on ? &table[fd] : NULL;
}

/* What the kernel took of the head and `data` together; the head's rest stays for the next time. */
static ssize_t send_both(int fd, struct corked *c, const void *data, size_t bytes)
{
    struct iovec parts[2] = {{c->head, c->bytes}, {(void *)(uintptr_t)data, bytes}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = bytes ? 2 : 1};
    ssize_t sent = sendmsg(fd, &message, 0);
    size_t head = c->bytes;
    if (sent < 0)
        return -1;
    if ((size_t)sent < head) {
        memmove(c->head, c->head + sent, head - (size_t)sent);
        c->bytes = (unsigned char)(head - (size_t)sent);
        errno = EAGAIN;
        return -1;
    }
    c->bytes = 0;
    if ((size_t)sent > head || bytes == 0)
        return sent - (ssize_t)head;
    errno = EAGAIN;
    return -1;
}

static void wait_for_room(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    (void)poll(&one, 1, PATIENCE_MS);
    errno = EAGAIN;
}

ssize_t write(int fd, const void *data, size_t bytes)
{
    struct corked *c = find(fd);
    ssize_t sent;
    if (!c)
        return syscall(SYS_write, fd, data, bytes);
    if (bytes <= sizeof c->head - c->bytes) {
        memcpy(c->head + c->bytes, data, bytes);
        c->bytes = (unsigned char)(c->bytes + bytes);
        return (ssize_t)bytes;
    }
    sent = send_both(fd, c, data, bytes);
    if (sent < 0 && errno == EAGAIN)
        wait_for_room(fd);
    return sent;
}

/* A failure is seen by the next read. */
static void flush(int fd, struct corked *c)
{
    while (c->bytes && send_both(fd, c, NULL, 0) < 0 && (errno == EAGAIN || errno == EINTR))
        wait_for_room(fd);
    *c = (struct corked){0};
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    if (level == IPPROTO_TCP && option == TCP_CORK && fd >= 0 && fd < FDS_MAX) {
        if (*(const int *)value)
            table[fd].on = true;
        else if (table[fd].on)
            flush(fd, &table[fd]);
        return 0;
    }
    return (int)syscall(SYS_setsockopt, fd, level, option, value, length);
}

/* The next one may get the same number. */
int close(int fd)
{
    struct corked *c = find(fd);
    if (c)
        *c = (struct corked){0};
    return (int)syscall(SYS_close, fd);
}

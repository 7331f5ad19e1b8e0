/* SPDX-License-Identifier: MIT */
#include "host/relay_wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "host/relay.h"

enum { REQUEST_MS = 2000 };

union control {
    struct cmsghdr align;
    char room[CMSG_SPACE(RELAY_FDS * sizeof(int))];
};

int relay_request_send(int socket, const char *name, const char *command, struct err *e)
{
    static const int fds[RELAY_FDS] = {0, 1, 2};
    auto_buf struct buf b = {0};
    union control control = {.room = {0}};
    struct iovec iov;
    struct msghdr h = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof(control.room)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&h);

    buf_init(&b, RELAY_PACKET_MAX);
    buf_add(&b, name, strlen(name) + 1);
    buf_add(&b, command, strlen(command) + 1);
    if (b.full)
        return err_set(e, ERR_USAGE, "the command has more than %d bytes", RELAY_PACKET_MAX);
    iov = (struct iovec){.iov_base = b.data, .iov_len = b.len};
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(c), fds, sizeof(fds));
    if (sendmsg(socket, &h, MSG_NOSIGNAL) < 0)
        return err_sys(e, "handing over the connection");
    return 0;
}

/* However many came along, none is left open but the three that are asked for. */
static bool take_fds(int *fds, struct msghdr *h)
{
    bool good = false;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        int came[RELAY_FDS];
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || count > RELAY_FDS)
            continue;
        memcpy(came, CMSG_DATA(c), count * sizeof(int));
        if (count == RELAY_FDS && !good) {
            memcpy(fds, came, sizeof(came));
            good = true;
            continue;
        }
        for (size_t i = 0; i < count; i++)
            close(came[i]);
    }
    return good;
}

/* Two texts, and nothing else. */
static bool take_apart(struct relay_request *q, size_t len)
{
    size_t name = strnlen(q->packet, len);

    if (name + 1 >= len || q->packet[len - 1] != '\0')
        return false;
    q->name = q->packet;
    q->command = q->packet + name + 1;
    return name + 1 + strlen(q->command) + 1 == len;
}

int relay_request_receive(struct relay_request *q, int socket, struct err *e)
{
    struct pollfd p = {.fd = socket, .events = POLLIN};
    struct iovec iov = {.iov_base = q->packet, .iov_len = sizeof(q->packet)};
    union control control = {.room = {0}};
    struct msghdr h = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof(control.room)};
    ssize_t n;

    if (poll(&p, 1, REQUEST_MS) <= 0)
        return err_set(e, ERR_TIMEOUT, "it says nothing");
    n = recvmsg(socket, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return err_sys(e, "reading from it");
    if (!take_fds(q->fds, &h))
        return err_set(e, ERR_CONFIG, "it hands over no descriptors");
    if (h.msg_flags & MSG_TRUNC || !take_apart(q, (size_t)n)) {
        for (size_t i = 0; i < RELAY_FDS; i++)
            close(q->fds[i]);
        return err_set(e, ERR_CONFIG, "it names no target and no command");
    }
    return 0;
}

/* ---- in the program that rsync runs ---- */

static int dial(int *out, const char *path, struct err *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(a.sun_path))
        return err_set(e, ERR_USAGE, "%s is too long for a socket", path);
    memcpy(a.sun_path, path, strlen(path));
    if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
        return err_sys(e, "the socket %s", path);
    *out = fd;
    fd = -1;
    return 0;
}

int relay_call(int *status, const char *path, const char *name, const char *const *words,
               struct err *e)
{
    auto_buf struct buf command = {0};
    auto_close int fd = -1;
    unsigned char byte;
    ssize_t n;

    buf_init(&command, RELAY_PACKET_MAX);
    for (size_t i = 0; words[i]; i++) /* as ssh does: rsync has quoted what has to be */
        buf_printf(&command, "%s%s", i ? " " : "", words[i]);
    if (command.full)
        return err_set(e, ERR_USAGE, "the command has more than %d bytes", RELAY_PACKET_MAX);
    if (dial(&fd, path, e) < 0 || relay_request_send(fd, name, buf_str(&command), e) < 0)
        return -1;
    /* Ours would keep the pipes open. The error stays: somebody may have to say something. */
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    fs_open_standard();
    do /* without an end of its own: the relay has one for each command */
        n = recv(fd, &byte, 1, 0);
    while (n < 0 && errno == EINTR);
    if (n != 1)
        return err_set(e, ERR_NET, "the process that keeps the connections is gone");
    *status = byte;
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "host/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sockaddr.h"

enum {
    OUT_MAX = 16 << 20,  /* libssh2 is asked for no more long before: task.c */
    DEAD_MS = 20 * 1000, /* sent bytes that nobody acknowledges end the connection */
    COMPACT = 256 << 10, /* sent bytes that are kept in front of the others */
    FREE_TRIES = 64,
};

/* ---- what libssh2 calls ---- */

/* Takes everything: a packet that left only partly would have to be finished by the very same call
 * of libssh2, and any other one loses its channel (1.10) or waits for it (1.11). */
static ssize_t on_send(libssh2_socket_t fd, const void *p, size_t len, int flags, void **abstract)
{
    struct transport *t = *abstract;

    (void)fd, (void)flags;
    if (t->cut)
        return -EPIPE;
    buf_add(&t->out, p, len);
    if (t->out.full)
        t->cut = true;
    return t->out.full ? -EPIPE : (ssize_t)len;
}

static ssize_t on_receive(libssh2_socket_t fd, void *p, size_t len, int flags, void **abstract)
{
    struct transport *t = *abstract;
    ssize_t n;

    (void)fd, (void)flags;
    if (t->cut)
        return 0;
    if (t->budget == 0)
        return -EAGAIN;
    do {
        n = recv(t->fd, p, len < t->budget ? len : t->budget, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return -EAGAIN;
    if (n <= 0) {
        t->cut = true;
        t->sys = n < 0 ? errno : 0;
        return 0;
    }
    t->budget -= (size_t)n;
    t->received += (uint64_t)n;
    t->heard_ms = clock_now_ms();
    t->delivered = true;
    return n;
}

static void set_callbacks(LIBSSH2_SESSION *ssh)
{
#if LIBSSH2_VERSION_NUM >= 0x010b01
    libssh2_session_callback_set2(ssh, LIBSSH2_CALLBACK_SEND, (libssh2_cb_generic *)on_send);
    libssh2_session_callback_set2(ssh, LIBSSH2_CALLBACK_RECV, (libssh2_cb_generic *)on_receive);
#else
    libssh2_session_callback_set(ssh, LIBSSH2_CALLBACK_SEND, (void *)on_send);
    libssh2_session_callback_set(ssh, LIBSSH2_CALLBACK_RECV, (void *)on_receive);
#endif
}

/* ---- the socket ---- */

static int refused(int sys, struct err *e)
{
    errno = sys;
    err_sys(e, "connecting");
    e->code = ERR_NET;
    return -1;
}

static int dial(struct transport *t, const char *address, int port, struct err *e)
{
    struct sockaddr_storage to;
    socklen_t len = sockaddr_parse(&to, address, port);
    int on = 1, dead = DEAD_MS;

    if (!len)
        return err_set(e, ERR_CONFIG, "not an IP address: %.80s", address);
    t->fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (t->fd < 0)
        return err_sys(e, "making a socket");
    /* Better, not necessary: a refusal changes nothing. */
    (void)setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(t->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof(dead));
    if (connect(t->fd, (const struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS)
        return refused(errno, e);
    return 0;
}

int transport_open(struct transport *t, const char *address, int port, struct err *e)
{
    *t = (struct transport){.fd = -1, .heard_ms = clock_now_ms()};
    buf_init(&t->out, OUT_MAX);
    t->ssh = libssh2_session_init_ex(NULL, NULL, NULL, t);
    if (!t->ssh)
        return err_set(e, ERR_SYS, "libssh2 does not start");
    libssh2_session_set_blocking(t->ssh, 0);
    set_callbacks(t->ssh);
    return dial(t, address, port, e);
}

int transport_connected(const struct transport *t, struct err *e)
{
    int sys = 0;
    socklen_t len = sizeof(sys);

    if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &sys, &len) < 0)
        sys = errno;
    return sys ? refused(sys, e) : 0;
}

size_t transport_pending(const struct transport *t)
{
    return t->out.len - t->out_done;
}

static void drop_sent(struct transport *t)
{
    if (transport_pending(t) && t->out_done < COMPACT)
        return;
    buf_consume(&t->out, t->out_done);
    t->out_done = 0;
}

void transport_flush(struct transport *t)
{
    while (!t->cut && transport_pending(t)) {
        ssize_t n = send(t->fd, t->out.data + t->out_done, transport_pending(t), MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n < 0) {
            t->cut = true;
            t->sys = errno;
            break;
        }
        t->out_done += (size_t)n;
    }
    drop_sent(t);
}

void transport_close(struct transport *t)
{
    /* While it is not cut, freeing could wait for the other side for ever. */
    t->cut = true;
    for (int i = 0; t->ssh && i < FREE_TRIES; i++)
        if (libssh2_session_free(t->ssh) != LIBSSH2_ERROR_EAGAIN)
            t->ssh = NULL;
    if (t->fd >= 0)
        close(t->fd);
    buf_clear(&t->out);
    *t = (struct transport){.fd = -1};
}

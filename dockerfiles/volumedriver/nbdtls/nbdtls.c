/* SPDX-License-Identifier: MIT */
/*
 * TLS in front of an NBD server that listens on a unix socket:
 *
 *   slipway-nbd-tls PORT SOCKET PSK-FILE MAX-CONNECTIONS
 *
 * It speaks NBD only until the client asks for TLS (NBD_OPT_STARTTLS; whatever else comes first is
 * refused). Behind the handshake, whose pre-shared key proves both sides to each other, it passes
 * bytes on and looks at none. A second NBD server did this before, and parsed, buffered and copied
 * every request once more.
 *
 * Each connection has two threads, one for each direction, because either side may stop reading
 * while it writes. Who has not shown the key after 10 s is sent away.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "negotiate.h"

enum {
    HANDSHAKE_MS = 10000,
    DEAD_AFTER_MS = 120000, /* nothing is heard of the other machine */
    STACK = 128 << 10,
    CHUNK = 256 << 10, /* passed on at once; stays in a processor's cache */
    RECORD = 16384,
    RECORD_MORE = 512, /* a record is larger than what is in it */
};

struct server {
    struct sockaddr_un socket;
    gnutls_psk_server_credentials_t psk;
    gnutls_priority_t priority;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t left;
    long connections;
};

struct connection {
    struct server *server;
    int client, daemon;
    int64_t deadline;       /* of the handshake; 0 behind it */
    unsigned char flags[4]; /* of the client's NBD */
    gnutls_session_t tls;
    char *in; /* ciphertext that was read: [in_begin, in_end) */
    size_t in_begin, in_end;
    char *out; /* ciphertext that waits to be sent */
    size_t out_end;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static bool ready(int fd, short events, int64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = events};
    int64_t left = deadline - now_ms();
    return left > 0 && poll(&p, 1, (int)left) > 0;
}

static bool send_all(int fd, const char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = send(fd, data, bytes, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        bytes -= (size_t)n;
    }
    return true;
}

/* Not one byte more, because the next one may belong to the handshake. */
static bool receive(int fd, void *data, size_t bytes, int64_t deadline)
{
    char *to = data;
    while (bytes > 0) {
        ssize_t n = ready(fd, POLLIN, deadline) ? recv(fd, to, bytes, 0) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        to += n;
        bytes -= (size_t)n;
    }
    return true;
}

/* NBD up to the request for TLS. */
static bool negotiate(struct connection *c)
{
    unsigned char data[NBD_NEED_MAX];
    enum nbd_verdict verdict = NBD_MORE;
    struct nbd_answer a;
    struct nbd_talk t;
    nbd_greet(&t, &a);
    while (send_all(c->client, (const char *)a.data, a.len) && verdict == NBD_MORE) {
        if (!receive(c->client, data, t.need, c->deadline))
            return false;
        verdict = nbd_take(&t, data, &a);
    }
    memcpy(c->flags, t.flags, sizeof c->flags);
    return verdict == NBD_TLS;
}

/* ---- what GnuTLS reads and writes with: few calls of the kernel, each with much ---- */

static ssize_t pull(gnutls_transport_ptr_t arg, void *to, size_t bytes)
{
    struct connection *c = arg;
    if (c->in_begin == c->in_end) {
        ssize_t n = -1;
        if (c->deadline && !ready(c->client, POLLIN, c->deadline))
            errno = ETIMEDOUT;
        else
            n = recv(c->client, c->in, CHUNK, 0);
        if (n <= 0) {
            gnutls_transport_set_errno(c->tls, n < 0 ? errno : 0);
            return n;
        }
        c->in_begin = 0;
        c->in_end = (size_t)n;
    }
    if (bytes > c->in_end - c->in_begin)
        bytes = c->in_end - c->in_begin;
    memcpy(to, c->in + c->in_begin, bytes);
    c->in_begin += bytes;
    return (ssize_t)bytes;
}

static int pull_ready(gnutls_transport_ptr_t arg, unsigned ms)
{
    struct connection *c = arg;
    return c->in_begin < c->in_end ||
           ready(c->client, POLLIN, ms == GNUTLS_INDEFINITE_TIMEOUT ? c->deadline : now_ms() + ms);
}

static bool whole_record_waits(const struct connection *c)
{
    return tls_record_is_whole((const unsigned char *)c->in + c->in_begin, c->in_end - c->in_begin);
}

static bool flush(struct connection *c)
{
    bool sent = send_all(c->client, c->out, c->out_end);
    c->out_end = 0;
    return sent;
}

/* The room is for a chunk and its records' heads; the handshake says little. */
static size_t out_room(void)
{
    return CHUNK + (CHUNK / RECORD + 4) * RECORD_MORE;
}

static ssize_t push(gnutls_transport_ptr_t arg, const void *data, size_t bytes)
{
    struct connection *c = arg;
    if (bytes > out_room() - c->out_end && !flush(c))
        bytes = 0;
    if (bytes == 0 || bytes > out_room()) {
        gnutls_transport_set_errno(c->tls, EPIPE);
        return -1;
    }
    memcpy(c->out + c->out_end, data, bytes);
    c->out_end += bytes;
    if (c->deadline && !flush(c)) {
        gnutls_transport_set_errno(c->tls, EPIPE);
        return -1;
    }
    return (ssize_t)bytes;
}

static bool handshake(struct connection *c)
{
    int result;
    c->in = malloc(CHUNK);
    c->out = malloc(out_room());
    if (!c->in || !c->out || gnutls_init(&c->tls, GNUTLS_SERVER) < 0)
        return false;
    if (gnutls_priority_set(c->tls, c->server->priority) < 0 ||
        gnutls_credentials_set(c->tls, GNUTLS_CRD_PSK, c->server->psk) < 0)
        return false;
    gnutls_transport_set_ptr(c->tls, c);
    gnutls_transport_set_pull_function(c->tls, pull);
    gnutls_transport_set_pull_timeout_function(c->tls, pull_ready);
    gnutls_transport_set_push_function(c->tls, push);
    gnutls_handshake_set_timeout(c->tls, HANDSHAKE_MS);
    do
        result = gnutls_handshake(c->tls);
    while (result < 0 && !gnutls_error_is_fatal(result) && now_ms() < c->deadline);
    return result == 0;
}

/* The daemon's greeting was given to the client already, the client's flags go to the daemon. */
/* A daemon that hangs lets connections wait as soon as enough of them do. Behind this, what is
 * written may take as long as the storage does. */
static bool reach_daemon(struct connection *c)
{
    unsigned char hello[NBD_GREETING];
    struct timeval limit = {.tv_sec = HANDSHAKE_MS / 1000}, none = {0};
    c->daemon = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->daemon < 0 || setsockopt(c->daemon, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
        connect(c->daemon, (const struct sockaddr *)&c->server->socket, sizeof c->server->socket) <
            0)
        return false;
    if (!receive(c->daemon, hello, sizeof hello, c->deadline) || !nbd_is_greeting(hello))
        return false;
    return send_all(c->daemon, (const char *)c->flags, sizeof c->flags) &&
           setsockopt(c->daemon, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none) == 0;
}

/* ---- behind the handshake ---- */

static void *to_client(void *arg)
{
    struct connection *c = arg;
    char *chunk = malloc(CHUNK);
    bool good = chunk;
    while (good) {
        ssize_t n = recv(c->daemon, chunk, CHUNK, 0), sent = 0;
        if (n < 0 && errno == EINTR)
            continue;
        good = n > 0;
        while (good && sent < n) {
            ssize_t part = gnutls_record_send(c->tls, chunk + sent, (size_t)(n - sent));
            if (part == GNUTLS_E_INTERRUPTED || part == GNUTLS_E_AGAIN)
                continue;
            good = part > 0;
            sent += part;
        }
        good = good && flush(c);
    }
    shutdown(c->client, SHUT_RDWR);
    free(chunk);
    return NULL;
}

static void to_daemon(struct connection *c)
{
    char *chunk = malloc(CHUNK);
    bool good = chunk;
    while (good) {
        size_t bytes = 0;
        do {
            ssize_t n = gnutls_record_recv(c->tls, chunk + bytes, CHUNK - bytes);
            if (n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_AGAIN)
                continue;
            good = n > 0;
            bytes += good ? (size_t)n : 0;
        } while (good && (bytes == 0 || (CHUNK - bytes >= RECORD && whole_record_waits(c))));
        good = send_all(c->daemon, chunk, bytes) && good;
    }
    shutdown(c->daemon, SHUT_WR); /* it closes its side, which ends the other thread */
    free(chunk);
}

static void *serve(void *arg)
{
    struct connection *c = arg;
    struct server *s = c->server;
    pthread_attr_t attributes;
    pthread_t other;
    c->deadline = now_ms() + HANDSHAKE_MS;
    if (negotiate(c) && handshake(c) && reach_daemon(c)) {
        c->deadline = 0;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, STACK);
        if (pthread_create(&other, &attributes, to_client, c) == 0) {
            to_daemon(c);
            pthread_join(other, NULL);
        }
        pthread_attr_destroy(&attributes);
    }
    if (c->tls)
        gnutls_deinit(c->tls);
    if (c->daemon >= 0)
        close(c->daemon);
    close(c->client);
    free(c->in);
    free(c->out);
    free(c);
    pthread_mutex_lock(&s->lock);
    s->connections--;
    pthread_cond_signal(&s->left);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- the server ---- */

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "slipway-nbd-tls: %s: %s\n", what, why);
    exit(1);
}

static void check_tls(int result, const char *what)
{
    if (result < 0)
        fail(what, gnutls_strerror(result));
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, off = 0;
    if (fd < 0) { /* a machine without IPv6 */
        struct sockaddr_in old = {.sin_family = AF_INET, .sin_port = htons(port)};
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
            bind(fd, (const struct sockaddr *)&old, sizeof old) < 0 || listen(fd, 128) < 0)
            fail("listening", strerror(errno));
        return fd;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 128) < 0)
        fail("listening", strerror(errno));
    return fd;
}

static void tune(int fd)
{
    int on = 1, idle = 60, every = 10, count = 6, dead = DEAD_AFTER_MS;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof dead);
}

static void take(struct server *s, int fd, const pthread_attr_t *attributes)
{
    struct connection *c = calloc(1, sizeof *c);
    pthread_t thread;
    if (c) {
        *c = (struct connection){.server = s, .client = fd, .daemon = -1};
        tune(fd);
        if (pthread_create(&thread, attributes, serve, c) == 0)
            return;
    }
    free(c);
    close(fd);
    pthread_mutex_lock(&s->lock);
    s->connections--;
    pthread_mutex_unlock(&s->lock);
}

int main(int argc, char **argv)
{
    static struct server s = {.lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER};
    pthread_attr_t attributes;
    long port = argc == 5 ? strtol(argv[1], NULL, 10) : 0;
    long most = argc == 5 ? strtol(argv[4], NULL, 10) : 0;
    if (port < 1 || port > UINT16_MAX || most < 1 || strlen(argv[2]) >= sizeof s.socket.sun_path)
        fail("usage", "PORT SOCKET PSK-FILE MAX-CONNECTIONS");
    signal(SIGPIPE, SIG_IGN);
    s.socket.sun_family = AF_UNIX;
    memcpy(s.socket.sun_path, argv[2], strlen(argv[2]) + 1);
    check_tls(gnutls_psk_allocate_server_credentials(&s.psk), "TLS");
    check_tls(gnutls_psk_set_server_credentials_file(s.psk, argv[3]), argv[3]);
    check_tls(gnutls_psk_set_server_known_dh_params(s.psk, GNUTLS_SEC_PARAM_MEDIUM), "TLS");
    /* Processors help with AES; with a pre-shared key GnuTLS would take ChaCha20 first. */
    check_tls(gnutls_priority_init(&s.priority,
                                   "NORMAL:-CHACHA20-POLY1305:+ECDHE-PSK:+DHE-PSK:+PSK", NULL),
              "TLS");
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int listener = listen_on((uint16_t)port);
    for (;;) {
        pthread_mutex_lock(&s.lock);
        while (s.connections >= most)
            pthread_cond_wait(&s.left, &s.lock);
        s.connections++;
        pthread_mutex_unlock(&s.lock);
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            take(&s, fd, &attributes);
            continue;
        }
        if (errno != EINTR && errno != ECONNABORTED)
            usleep(100000); /* no descriptors or memory: some will come back */
        pthread_mutex_lock(&s.lock);
        s.connections--;
        pthread_mutex_unlock(&s.lock);
    }
}

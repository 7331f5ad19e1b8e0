/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into qemu-storage-daemon: larger buffers for its unix sockets. A
 * read of 1 MiB over NBD goes through 208 KiB in pieces, each waiting for the
 * other side; QEMU 10.1 asks for 2 MiB itself. The kernel gives up to twice
 * net.core.wmem_max, which is 208 KiB where nobody made it larger.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/socket.h>

enum { WANTED = 2 << 20 };

typedef int accept4_fn(int fd, struct sockaddr *address, socklen_t *length, int flags);
typedef int connect_fn(int fd, const struct sockaddr *address, socklen_t length);

static void enlarge(int fd)
{
    int bytes = WANTED, domain = 0;
    socklen_t length = sizeof domain;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_UNIX)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    accept4_fn *next = (accept4_fn *)dlsym(RTLD_NEXT, "accept4");
    int accepted = next(fd, address, length, flags);
    if (accepted >= 0)
        enlarge(accepted);
    return accepted;
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    connect_fn *next = (connect_fn *)dlsym(RTLD_NEXT, "connect");
    enlarge(fd);
    return next(fd, address, length);
}

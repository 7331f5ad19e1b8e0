/* SPDX-License-Identifier: MIT */
#include "cmd/check_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

static socklen_t address_of(struct sockaddr_storage *out, const char *address, int port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

    *out = (struct sockaddr_storage){0};
    if (!*address || strcmp(address, "0.0.0.0") == 0)
        address = "127.0.0.1";
    else if (strcmp(address, "::") == 0)
        address = "::1";
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        return sizeof(*v4);
    }
    if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        return sizeof(*v6);
    }
    return 0;
}

int check_port_connect(const char *address, int port, int64_t deadline, struct err *e)
{
    struct sockaddr_storage to;
    socklen_t len = address_of(&to, address, port);
    auto_close int fd = -1;
    struct pollfd p;
    int why = 0;

    if (len == 0)
        return err_set(e, ERR_CONFIG, "%s is no address", address);
    fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_sys(e, "making a socket");
    if (connect(fd, (struct sockaddr *)&to, len) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return err_set(e, ERR_NET, "%s", strerror(errno));
    p = (struct pollfd){.fd = fd, .events = POLLOUT};
    while (poll(&p, 1, (int)clock_left_ms(deadline)) <= 0)
        if (clock_passed(deadline))
            return err_set(e, ERR_TIMEOUT, "no answer in time");
    len = sizeof(why);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) < 0)
        why = errno;
    return why == 0 ? 0 : err_set(e, ERR_NET, "%s", strerror(why));
}

/* SPDX-License-Identifier: MIT */
#include "check/port.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sockaddr.h"

/* Where a port that is published on every address of the machine is reached from it. */
static const char *reachable(const char *address)
{
    if (!*address || strcmp(address, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(address, "::") == 0 ? "::1" : address;
}

int check_port_connect(const char *address, int port, struct until until, struct err *e)
{
    struct sockaddr_storage to;
    socklen_t len = sockaddr_parse(&to, reachable(address), port);
    auto_close int fd = -1;
    struct pollfd p[2];
    int why = 0;

    if (len == 0)
        return err_set(e, ERR_CONFIG, "%s is not an address", address);
    fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_sys(e, "making a socket");
    if (connect(fd, (struct sockaddr *)&to, len) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return err_set(e, ERR_NET, "%s", strerror(errno));
    do {
        if (until_check_wait(until, "no answer", e) < 0)
            return -1;
        p[0] = (struct pollfd){.fd = fd, .events = POLLOUT};
        p[1] = (struct pollfd){.fd = until_fd(until), .events = POLLIN};
    } while (poll(p, 2, until_poll_ms(until, CLOCK_NEVER)) <= 0 || !p[0].revents);
    len = sizeof(why);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) < 0)
        why = errno;
    return why == 0 ? 0 : err_set(e, ERR_NET, "%s", strerror(why));
}

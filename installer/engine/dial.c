/* SPDX-License-Identifier: MIT */
#include "engine/dial.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/engine.h"

enum { TURN_MS = 20 };

int dial_parse(char **path, const char *url, struct err *e)
{
    static const char scheme[] = "unix://";

    *path = NULL;
    if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
        return err_set(
            e, ERR_CONFIG,
            "Docker address %s: only unix://PATH is supported; run Slipway on the machine of that "
            "engine, or set DOCKER_HOST=%s for the engine of this one",
            url, ENGINE_LOCAL);
    const char *p = url + sizeof(scheme) - 1;
    if (p[0] != '/' || strlen(p) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return err_set(e, ERR_CONFIG,
                       "Docker address %s: the path must be absolute and shorter "
                       "than 108 bytes",
                       url);
    *path = mem_strdup(p);
    return 0;
}

static int refused(const char *path, int sys, struct err *e)
{
    switch (sys) {
    case ENOENT:
        err_set(e, ERR_NET,
                "Docker is not running: there is no %s; install it (apt install "
                "docker.io) or start it (systemctl start docker)",
                path);
        break;
    case ECONNREFUSED:
        err_set(e, ERR_NET,
                "Docker is not running: nobody answers at %s; start it (systemctl "
                "start docker)",
                path);
        break;
    case EACCES:
    case EPERM:
        err_set(e, ERR_AUTH,
                "no permission on %s: run as root or join its group (usermod -aG "
                "docker USER) and log in again",
                path);
        break;
    default:
        errno = sys;
        err_sys(e, "connecting to Docker at %s", path);
        e->code = ERR_NET;
    }
    e->sys = sys;
    return -1;
}

/* A socket whose queue is full says EAGAIN, and nothing tells when it has room again. */
static int connect_in_time(int fd, const struct sockaddr_un *to, struct until until, struct err *e)
{
    auto_free char *late = mem_printf("Docker at %s did not take the connection", to->sun_path);

    while (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0) {
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return refused(to->sun_path, errno, e);
        if (until_check(until, late, e) < 0)
            return -1;
        until_sleep_ms(until, TURN_MS);
    }
    return 0;
}

int dial_unix(int *fd, const char *path, struct until until, struct err *e)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(to.sun_path))
        return err_set(e, ERR_CONFIG, "socket path %s is too long", path);
    memcpy(to.sun_path, path, strlen(path) + 1);
    auto_close int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0)
        return err_sys(e, "making a socket");
    if (connect_in_time(s, &to, until, e) < 0)
        return -1;
    *fd = s;
    s = -1;
    return 0;
}

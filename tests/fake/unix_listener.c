/* SPDX-License-Identifier: MIT */
#include "fake/unix_listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void unix_listener_open(struct unix_listener *l, const char *name, int backlog)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    snprintf(l->path, sizeof(l->path), "/tmp/slipway-%s-%d", name, (int)getpid());
    snprintf(l->url, sizeof(l->url), "unix://%s", l->path);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", l->path);
    unlink(l->path);
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(l->fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(l->fd, backlog), 0);
}

void unix_listener_end(struct unix_listener *l)
{
    shutdown(l->fd, SHUT_RDWR);
}

void unix_listener_close(struct unix_listener *l)
{
    close(l->fd);
    unlink(l->path);
}

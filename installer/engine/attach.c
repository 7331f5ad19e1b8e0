/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sig.h"
#include "engine/api.h"
#include "engine/engine.h"
#include "engine/hijack.h"
#include "engine/url.h"

enum { TICK_MS = 200 };

/* Docker ends the stream when it has copied everything up to our half close. */
static int await_end(int fd, struct err *e)
{
    int64_t deadline = clock_deadline(API_READ_MS);
    for (;;) {
        struct pollfd f = {.fd = fd, .events = POLLIN};
        char part[512];
        if (clock_passed(deadline))
            return err_set(e, ERR_TIMEOUT, "Docker did not take it before the deadline");
        if (sig_interrupts() > 1)
            return err_set(e, ERR_INTERRUPTED, "interrupted");
        if (poll(&f, 1, TICK_MS) <= 0)
            continue;
        ssize_t n = read(fd, part, sizeof part);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return 0;
        if (n < 0 && errno != EINTR)
            return err_sys(e, "reading from Docker");
    }
}

int engine_container_send(struct engine *g, const char *id, const void *data, size_t len,
                          struct err *e)
{
    auto_free char *path = url_path("/containers/", id, "/attach?stream=1&stdin=1");
    auto_close int fd = -1;
    int rc = hijack_open(&fd, g, path, NULL, e);
    if (rc == 0)
        rc = hijack_write(fd, data, len, e);
    if (rc == 0 && shutdown(fd, SHUT_WR) < 0)
        rc = err_sys(e, "ending the input");
    if (rc == 0)
        rc = await_end(fd, e);
    return rc < 0 ? err_wrap(e, "writing to the input of container %s", id) : 0;
}

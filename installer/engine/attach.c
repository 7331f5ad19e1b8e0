/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/until.h"
#include "engine/api.h"
#include "engine/engine.h"
#include "engine/hijack.h"
#include "engine/url.h"

/* Docker ends the stream when it has copied everything up to our half close. */
static int await_end(int fd, struct until until, struct err *e)
{
    for (;;) {
        char part[512];

        if (until_check(until, "Docker did not take it", e) < 0)
            return -1;
        ssize_t n = read(fd, part, sizeof(part));
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return 0;
        if (n < 0 && errno == EAGAIN)
            hijack_wait(fd, POLLIN, until);
        else if (n < 0 && errno != EINTR)
            return err_sys(e, "reading from Docker");
    }
}

int engine_container_send(struct engine *g, const char *id, const void *data, size_t len,
                          struct err *e)
{
    auto_free char *path = url_path("/containers/", id, "/attach?stream=1&stdin=1");
    struct until until = until_within(engine_until(g), API_READ_MS);
    auto_close int fd = -1;
    int r = hijack_open(&fd, g, path, NULL, e);

    if (r == 0)
        r = hijack_write(fd, data, len, until, e);
    if (r == 0 && shutdown(fd, SHUT_WR) < 0)
        r = err_sys(e, "ending the input");
    if (r == 0)
        r = await_end(fd, until, e);
    return r < 0 ? err_wrap(e, "writing to the input of container %s", id) : 0;
}

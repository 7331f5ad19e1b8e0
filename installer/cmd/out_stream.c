/* SPDX-License-Identifier: MIT */
#include "cmd/out_stream.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sig.h"

/* A reader that goes on reading gets all of it, also after the deadline: each piece may take the
 * grace. */
enum { TURN_MS = 200, GRACE_MS = 2 * 1000 };

static struct until until_of(const struct out_stream *s)
{
    struct until until = {.cancel = sig_cancel()};

    if (s->x->env)
        return s->x->env->until;
    return s->x->timeout_ms ? until_before(until, s->opened_ms + s->x->timeout_ms) : until;
}

/* How long the next piece may take, given that the reader has stalled for so long. 0: give up. */
static int64_t next_wait_ms(struct out_stream *s, int64_t stalled_ms)
{
    struct until until = until_of(s);

    if (stalled_ms >= GRACE_MS && until_is_cancelled(until))
        s->gave_up = ERR_INTERRUPTED;
    else if (stalled_ms >= GRACE_MS && until_passed(until))
        s->gave_up = ERR_TIMEOUT;
    else if (until_is_aborted(until))
        s->gave_up = ERR_INTERRUPTED;
    return s->gave_up ? 0 : TURN_MS;
}

static ssize_t on_write(void *arg, const char *data, size_t len)
{
    struct out_stream *s = arg;
    size_t done = 0, written = 0;
    int64_t stalled_since = clock_now_ms();

    if (s->gave_up) {
        errno = ETIMEDOUT;
        return 0; /* of a cookie 0 is the error, not -1 */
    }
    while (done < len) {
        int64_t wait_ms = next_wait_ms(s, clock_now_ms() - stalled_since);
        int r = fs_write_in_time(&written, STDOUT_FILENO, data + done, len - done, wait_ms);

        done += written;
        if (written)
            stalled_since = clock_now_ms();
        if (r < 0 && (errno != ETIMEDOUT || s->gave_up))
            return 0;
    }
    return (ssize_t)len;
}

void out_stream_open(struct out_stream *s, const struct cmd_context *x)
{
    FILE *f = fopencookie(s, "w", (cookie_io_functions_t){.write = on_write});

    *s = (struct out_stream){.x = x, .before = stdout, .opened_ms = clock_now_ms()};
    if (!f)
        return; /* no memory: as it is without us */
    if (isatty(STDOUT_FILENO))
        setvbuf(f, NULL, _IOLBF, BUFSIZ);
    stdout = f;
}

int out_stream_close(struct out_stream *s)
{
    FILE *ours = stdout;
    bool failed = ferror(ours);
    int r;

    stdout = s->before;
    errno = 0;
    r = ours == s->before ? fflush(ours) : fclose(ours);
    if (r == 0 && !failed)
        return 0;
    return errno ? errno : EIO;
}

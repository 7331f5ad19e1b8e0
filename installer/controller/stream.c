/* SPDX-License-Identifier: MIT */
#include "controller/stream.h"

#include <microhttpd.h>
#include <stdio.h>

#include "base/mem.h"

struct stream *stream_new(const struct stream_calls *calls, void *arg)
{
    struct stream *s = mem_alloc(sizeof(*s));

    *s = (struct stream){.calls = calls, .arg = arg};
    pthread_mutex_init(&s->mutex, NULL);
    return s;
}

void stream_wake(struct stream *s)
{
    pthread_mutex_lock(&s->mutex);
    s->woken = true;
    if (s->suspended) {
        s->suspended = false;
        MHD_resume_connection(s->connection);
    }
    pthread_mutex_unlock(&s->mutex);
}

void stream_end(struct stream *s)
{
    pthread_mutex_lock(&s->mutex);
    s->ended = true;
    pthread_mutex_unlock(&s->mutex);
    stream_wake(s);
}

/* Whether it was put to sleep: not when it was woken since it was asked last. */
static bool sleep_unless_woken(struct stream *s)
{
    bool sleep;

    pthread_mutex_lock(&s->mutex);
    sleep = !s->woken;
    s->woken = false;
    if (sleep) {
        s->suspended = true;
        MHD_suspend_connection(s->connection);
    }
    pthread_mutex_unlock(&s->mutex);
    return sleep;
}

ssize_t stream_read(struct stream *s, char *p, size_t max)
{
    ssize_t n;
    bool ended;

    for (;;) {
        pthread_mutex_lock(&s->mutex);
        ended = s->ended;
        pthread_mutex_unlock(&s->mutex);
        n = !ended ? s->calls->read(s->arg, p, max) : s->calls->has_end ? STREAM_CUT : STREAM_END;
        if (n != 0)
            return n;
        if (sleep_unless_woken(s))
            return 0;
    }
}

void stream_free(struct stream *s)
{
    s->calls->close(s->arg);
    pthread_mutex_destroy(&s->mutex);
    mem_cleanup_free(&s);
}

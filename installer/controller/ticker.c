/* SPDX-License-Identifier: MIT */
/* What time brings: requests that do not come, signs of life, sessions that end, certificates. */
#include <sys/socket.h>

#include "base/clock.h"
#include "controller/server_own.h"

enum {
    TICK_MS = 1000,
    BEATS = 15, /* a sign of life each so many ticks */
};

static void tick(struct server *s, int beat)
{
    pthread_mutex_lock(&s->mutex);
    for (struct connection *n = s->connections; n; n = n->next)
        if (clock_passed(n->deadline) && n->fd >= 0) {
            shutdown(n->fd, SHUT_RDWR); /* the library sees it, and closes it */
            n->deadline = CLOCK_NEVER;
        }
    for (struct stream *t = s->streams; t; t = t->next) {
        if (people_role(&s->c->people, t->token) < t->role) {
            stream_end(t);
        } else if (beat % BEATS == 0) {
            t->calls->beat(t->arg);
            stream_wake(t);
        }
    }
    pthread_mutex_unlock(&s->mutex);
    certificate_look(&s->certificate);
}

void *server_tick(void *arg)
{
    struct server *s = arg;

    for (int beat = 1;; beat++) {
        bool stopping;

        pthread_mutex_lock(&s->mutex);
        stopping = s->stopping;
        pthread_mutex_unlock(&s->mutex);
        if (stopping)
            return NULL;
        tick(s, beat);
        clock_sleep_ms(TICK_MS);
    }
}

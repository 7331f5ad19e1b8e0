/* SPDX-License-Identifier: MIT */
#include "controller/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"
#include "controller/headers.h"

struct event_reader {
    struct events *v;
    struct stream *stream;
    enum access_role role;
    int64_t next;  /* the number it wants */
    char *pending; /* what is being sent, owned */
    size_t done;   /* of that */
    bool beat;
    bool missed; /* events that are not kept any more */
    struct event_reader *following, *previous;
};

void events_init(struct events *v)
{
    *v = (struct events){.epoch = clock_wall_ms(), .next = 1};
    pthread_mutex_init(&v->mutex, NULL);
}

void events_clear(struct events *v)
{
    for (size_t i = 0; i < EVENTS_KEPT; i++)
        free(v->ring[i].text);
    pthread_mutex_destroy(&v->mutex);
}

static char *format(const struct events *v, int64_t number, const char *name,
                    const struct node *data)
{
    auto_free char *text = json_text(data);

    return mem_printf("id: %lld-%lld\nevent: %s\ndata: %s\n\n", (long long)v->epoch,
                      (long long)number, name, text);
}

void events_publish(struct events *v, const char *name, enum access_role role,
                    const struct node *data)
{
    struct event *slot;

    pthread_mutex_lock(&v->mutex);
    slot = &v->ring[v->next % EVENTS_KEPT];
    free(slot->text);
    slot->text = format(v, v->next, name, data);
    slot->role = role;
    v->next++;
    for (struct event_reader *r = v->readers; r; r = r->following)
        stream_wake(r->stream);
    pthread_mutex_unlock(&v->mutex);
}

/* ---- one reader ---- */

/* The next text that this reader may have; NULL: none now. */
static char *take(struct event_reader *r)
{
    struct events *v = r->v;
    auto_node struct node *nothing = NULL;

    if (r->missed || r->next < v->next - EVENTS_KEPT) {
        nothing = node_new_map();
        r->missed = false;
        r->next = v->next;
        return format(v, v->next - 1, "reset", nothing);
    }
    while (r->next < v->next) {
        const struct event *ev = &v->ring[r->next++ % EVENTS_KEPT];

        if (ev->role <= r->role)
            return mem_strdup(ev->text);
    }
    if (!r->beat)
        return NULL;
    r->beat = false;
    return mem_strdup(":\n\n");
}

static ssize_t on_read(void *arg, char *p, size_t max)
{
    struct event_reader *r = arg;
    size_t n;

    if (!r->pending) {
        pthread_mutex_lock(&r->v->mutex);
        r->pending = take(r);
        pthread_mutex_unlock(&r->v->mutex);
        r->done = 0;
    }
    if (!r->pending)
        return 0;
    n = strlen(r->pending + r->done);
    n = n < max ? n : max;
    memcpy(p, r->pending + r->done, n);
    r->done += n;
    if (!r->pending[r->done]) {
        free(r->pending);
        r->pending = NULL;
    }
    return (ssize_t)n;
}

static void on_beat(void *arg)
{
    struct event_reader *r = arg;

    pthread_mutex_lock(&r->v->mutex);
    r->beat = true;
    pthread_mutex_unlock(&r->v->mutex);
}

static void on_close(void *arg)
{
    struct event_reader *r = arg;

    pthread_mutex_lock(&r->v->mutex);
    if (r->previous)
        r->previous->following = r->following;
    else
        r->v->readers = r->following;
    if (r->following)
        r->following->previous = r->previous;
    pthread_mutex_unlock(&r->v->mutex);
    free(r->pending);
    free(r);
}

struct stream *events_stream(struct events *v, enum access_role role, const char *last,
                             const struct node *hello)
{
    static const struct stream_calls calls = {on_read, on_beat, on_close};
    struct event_reader *r = mem_alloc(sizeof(*r));
    int64_t epoch, number;

    *r = (struct event_reader){.v = v, .role = role};
    r->stream = stream_new(&calls, r);
    pthread_mutex_lock(&v->mutex);
    r->next = v->next;
    /* Whoever comes with a number of another process, or with nonsense, has missed something. */
    if (last && headers_event_id(&epoch, &number, last) && epoch == v->epoch && number >= 0 &&
        number < v->next && number + 1 >= v->next - EVENTS_KEPT)
        r->next = number + 1;
    else if (last)
        r->missed = true;
    r->pending = format(v, r->next - 1, "hello", hello);
    r->following = v->readers;
    if (v->readers)
        v->readers->previous = r;
    v->readers = r;
    pthread_mutex_unlock(&v->mutex);
    return r->stream;
}

/* SPDX-License-Identifier: MIT */
/*
 * What changes, told to everybody who listens: a ring of the last events, each with a number, so
 * that who comes back after a moment gets what came meanwhile, and who comes too late is told so.
 */
#ifndef CONTROLLER_EVENTS_H
#define CONTROLLER_EVENTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/node.h"
#include "controller/stream.h"
#include "env/access.h"

enum { EVENTS_KEPT = 1024 };

struct event_reader;

struct events {
    pthread_mutex_t mutex;
    int64_t epoch; /* of this process: numbers of another mean nothing */
    int64_t next;  /* number of the next event, from 1 */
    struct event {
        char *text; /* as it is sent */
        enum access_role role;
    } ring[EVENTS_KEPT]; /* event n at n % EVENTS_KEPT */
    struct event_reader *readers;
};

/* None yet. It is cleared when no stream reads it any more. */
void events_init(struct events *v);
void events_clear(struct events *v);
/* Tells everybody who has that role; `data` is borrowed. */
void events_publish(struct events *v, const char *name, enum access_role role,
                    const struct node *data);
/* A stream of them: after `last` ("EPOCH-NUMBER"), or from now on when that is NULL. `hello` is the
 * data of the first event. */
struct stream *events_stream(struct events *v, enum access_role role, const char *last,
                             const struct node *hello);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Messages of a container's log into lines. Every message of the request begins with its time,
 * "RFC3339Nano " (timestamps=1), also each 16 KiB piece of a longer line; the time is what a broken
 * follow goes on from.
 */
#ifndef ENGINE_LINES_H
#define ENGINE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum { LINES_STAMP_MAX = 40, LINES_LINE_MAX = 1 << 20 };

struct lines {
    struct buf part[2];         /* out and err: a line not ended yet */
    bool keep_stamps;           /* give them on, once per line */
    char last[LINES_STAMP_MAX]; /* time of the newest message */
    size_t seen_at_last;        /* messages with that time */
    size_t skip;                /* of them, still to be left out after lines_resume */
    void (*line)(void *arg, int stream, const char *text, size_t len);
    void *arg;
};

/* The caller sets line and arg. Clear it in every case. */
void lines_init(struct lines *l, bool keep_stamps);
void lines_clear(struct lines *l);
/* One message, stream 1 or 2; without a time in front it is taken as it is. */
void lines_message(struct lines *l, int stream, const char *p, size_t len);
/* Bytes without messages and times (a container with a terminal). */
void lines_bytes(struct lines *l, int stream, const char *p, size_t len);
/* The stream begins again at l->last: what was seen with that time comes again. */
void lines_resume(struct lines *l);
/* Gives on what has no newline. */
void lines_end(struct lines *l);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Docker's multiplexed streams (logs, attach, exec without a terminal): 8 bytes of header
 * [1 out | 2 err, 0, 0, 0, length, big endian], then the data. Frames are put together across
 * reads; one frame of logs is one message of the log driver.
 */
#ifndef ENGINE_FRAMES_H
#define ENGINE_FRAMES_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct frames {
    unsigned char head[8];
    size_t head_len;
    size_t want; /* data bytes of the frame under way */
    struct buf data;
    void (*frame)(void *arg, int stream, const char *p, size_t len);
    void *arg;
};

/* `frame` is called with each whole frame; stream is 1 or 2. Clear it in every case. */
void frames_init(struct frames *f, void (*frame)(void *, int, const char *, size_t), void *arg);
void frames_clear(struct frames *f);
/* Forgets an unfinished frame, for a stream that starts again. */
void frames_reset(struct frames *f);
/* A malformed header, or a frame larger than 16 MiB: ERR_REMOTE. */
int frames_feed(struct frames *f, const char *p, size_t len, struct err *e);
/* The stream has ended. In the middle of a frame: ERR_NET. */
int frames_end(const struct frames *f, struct err *e);

#endif

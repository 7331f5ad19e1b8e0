/* SPDX-License-Identifier: MIT */
#include "engine/frames.h"

#include <string.h>

enum { FRAME_MAX = 16 << 20, HEAD = 8 };

void frames_init(struct frames *f, void (*frame)(void *, int, const char *, size_t), void *arg)
{
    memset(f, 0, sizeof(*f));
    buf_init(&f->data, FRAME_MAX);
    f->frame = frame;
    f->arg = arg;
}

void frames_clear(struct frames *f)
{
    buf_clear(&f->data);
    f->head_len = 0;
}

void frames_reset(struct frames *f)
{
    buf_reset(&f->data);
    f->head_len = 0;
}

static int head_done(struct frames *f, struct err *e)
{
    const unsigned char *h = f->head;

    f->want = (size_t)h[4] << 24 | (size_t)h[5] << 16 | (size_t)h[6] << 8 | (size_t)h[7];
    /* 0 is stdin, which Docker sends as stdout; 3 is an error of the daemon's. */
    if (h[0] > 3 || h[1] != 0 || h[2] != 0 || h[3] != 0)
        return err_set(e, ERR_REMOTE, "Docker's stream is broken: no frame header");
    if (f->want > FRAME_MAX)
        return err_set(e, ERR_REMOTE, "Docker's stream is broken: a frame of %zu bytes", f->want);
    return 0;
}

int frames_feed(struct frames *f, const char *p, size_t len, struct err *e)
{
    while (len > 0) {
        if (f->head_len < HEAD) {
            size_t part = HEAD - f->head_len < len ? HEAD - f->head_len : len;

            memcpy(f->head + f->head_len, p, part);
            f->head_len += part;
            p += part;
            len -= part;
            if (f->head_len < HEAD)
                return 0;
            if (head_done(f, e) < 0)
                return -1;
            if (f->want == 0) {
                f->head_len = 0; /* nothing to give on */
                continue;
            }
        }
        size_t left = f->want - f->data.len, part = left < len ? left : len;
        int stream = f->head[0] < 2 ? 1 : 2;
        if (f->data.len == 0 && part == f->want) {
            f->frame(f->arg, stream, p, part); /* whole in this read: no copy */
            f->head_len = 0;
        } else {
            buf_add(&f->data, p, part);
            if (f->data.len == f->want) {
                f->frame(f->arg, stream, buf_str(&f->data), f->data.len);
                frames_reset(f);
            }
        }
        p += part;
        len -= part;
    }
    return 0;
}

int frames_end(const struct frames *f, struct err *e)
{
    if (f->head_len == 0)
        return 0;
    return err_set(e, ERR_NET, "Docker's stream ended in the middle of a message");
}

/* SPDX-License-Identifier: MIT */
#include "engine/lines.h"

#include <string.h>

void lines_init(struct lines *l, bool keep_stamps)
{
    memset(l, 0, sizeof(*l));
    l->keep_stamps = keep_stamps;
    for (int i = 0; i < 2; i++)
        buf_init(&l->part[i], LINES_LINE_MAX);
}

void lines_clear(struct lines *l)
{
    for (int i = 0; i < 2; i++)
        buf_clear(&l->part[i]);
}

static void give(struct lines *l, int i)
{
    const struct buf *b = &l->part[i];
    size_t len = b->len;

    if (len > 0 && b->data[len - 1] == '\r')
        len--;
    l->line(l->arg, i + 1, buf_str(b), len);
    buf_reset(&l->part[i]);
}

void lines_bytes(struct lines *l, int stream, const char *p, size_t len)
{
    int i = stream == 2;

    while (len > 0) {
        const char *newline = memchr(p, '\n', len);
        size_t part = newline ? (size_t)(newline - p) : len;

        buf_add(&l->part[i], p, part); /* what is too much is dropped */
        if (!newline)
            return;
        give(l, i);
        p += part + 1;
        len -= part + 1;
    }
}

/* Length of "2026-01-31T23:59:59.123456789Z " in front, 0 when there is none. */
static size_t stamp_len(const char *p, size_t len)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd";
    size_t i = 0;

    for (; i < sizeof(shape) - 1; i++) {
        if (i >= len)
            return 0;
        bool digit = p[i] >= '0' && p[i] <= '9';
        if (shape[i] == 'd' ? !digit : p[i] != shape[i])
            return 0;
    }
    while (i < len && i < LINES_STAMP_MAX && p[i] != '\0' && strchr("0123456789.Z+-:", p[i]))
        i++;
    return i < len && i < LINES_STAMP_MAX && p[i] == ' ' ? i + 1 : 0;
}

/* Notes the time of a message; true when the message was given on before. */
static bool seen_before(struct lines *l, const char *p, size_t stamp)
{
    bool same = strlen(l->last) == stamp && memcmp(l->last, p, stamp) == 0;

    if (same && l->skip > 0) {
        l->skip--;
        return true;
    }
    if (!same) {
        memcpy(l->last, p, stamp);
        l->last[stamp] = '\0';
        l->seen_at_last = 0;
        l->skip = 0;
    }
    l->seen_at_last++;
    return false;
}

void lines_message(struct lines *l, int stream, const char *p, size_t len)
{
    size_t stamp = stamp_len(p, len);

    if (stamp > 0 && seen_before(l, p, stamp - 1))
        return;
    if (stamp > 0 && l->keep_stamps && l->part[stream == 2].len == 0)
        buf_add(&l->part[stream == 2], p, stamp);
    lines_bytes(l, stream, p + stamp, len - stamp);
}

void lines_resume(struct lines *l)
{
    l->skip = l->seen_at_last;
}

void lines_end(struct lines *l)
{
    for (int i = 0; i < 2; i++)
        if (l->part[i].len > 0)
            give(l, i);
}

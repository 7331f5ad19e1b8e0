/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { BUF_FIRST = 64 };

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_clear(struct buf *b)
{
    /* Buffers carry request bodies and files, so secrets too: wiped
     * whenever memory is given back. */
    mem_wipe_free(b->data, b->cap);
    *b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->full = false;
    if (b->data)
        b->data[0] = '\0';
}

/* Makes room for `extra` bytes and the NUL; returns how many of them the maximum allows. */
static size_t reserve(struct buf *b, size_t extra)
{
    size_t room = b->max > b->len ? b->max - b->len : 0;

    if (extra > room) {
        b->full = true;
        extra = room;
    }
    size_t need = b->len + extra + 1;
    if (need > b->cap) {
        size_t cap = b->cap ? b->cap : BUF_FIRST;

        while (cap < need)
            cap = cap > need / 2 ? need : cap * 2;
        if (cap < b->cap * 2)
            cap = b->cap * 2;
        char *grown = mem_alloc(cap);
        if (b->len)
            memcpy(grown, b->data, b->len);
        mem_wipe_free(b->data, b->cap);
        b->data = grown;
        b->cap = cap;
    }
    return extra;
}

void buf_add(struct buf *b, const void *p, size_t len)
{
    len = reserve(b, len);
    if (len)
        memcpy(b->data + b->len, p, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    char small[256];
    va_list again;

    va_copy(again, ap);
    int n = vsnprintf(small, sizeof(small), fmt, ap);
    if (n >= 0 && (size_t)n < sizeof(small)) {
        buf_add(b, small, (size_t)n);
    } else if (n >= 0) {
        char *text = mem_vprintf(fmt, again);

        buf_add(b, text, (size_t)n);
        mem_wipe_free(text, (size_t)n);
    }
    va_end(again);
    explicit_bzero(small, sizeof(small));
}

void buf_consume(struct buf *b, size_t n)
{
    if (n >= b->len) {
        b->len = 0;
    } else {
        memmove(b->data, b->data + n, b->len - n);
        b->len -= n;
    }
    if (b->data)
        b->data[b->len] = '\0';
}

const char *buf_str(const struct buf *b)
{
    return b->data ? b->data : "";
}

char *buf_take(struct buf *b)
{
    char *text = b->data ? b->data : mem_strdup("");

    *b = (struct buf){.max = b->max};
    return text;
}

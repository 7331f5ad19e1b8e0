/* SPDX-License-Identifier: MIT */
/*
 * A growing byte string with a maximum chosen at birth. Always NUL-terminated behind `len`.
 * Appending beyond the maximum sets `full` and drops the excess; the owner checks `full` once, at
 * the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* never NULL after the first append; see buf_str */
    size_t len, cap, max;
    bool full;
};

/* An empty one that never grows beyond `max` bytes. What does not fit is left out, and `full` says
 * so from then on. */
void buf_init(struct buf *b, size_t max);
void buf_clear(struct buf *b); /* frees; usable again with the same maximum */
void buf_reset(struct buf *b); /* empties, keeps the memory */
/* Append: bytes; a text; a byte; a text made as printf does. */
void buf_add(struct buf *b, const void *p, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);
/* Borrowed text, "" when empty. */
const char *buf_str(const struct buf *b);
/* The text, owned by the caller; the buffer is empty afterwards. Never NULL. */
char *buf_take(struct buf *b);

#define auto_buf __attribute__((cleanup(buf_clear)))

#endif

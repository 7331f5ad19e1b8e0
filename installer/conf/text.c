/* SPDX-License-Identifier: MIT */
#include "conf/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

struct text_place text_place_at(const char *text, size_t offset)
{
    struct text_place at = {1, 1};

    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            at.line++;
            at.column = 1;
        } else if (!utf8_is_inside(text[i])) {
            at.column++;
        }
    }
    return at;
}

int text_check(const char *name, const char *text, size_t len, struct err *e)
{
    for (size_t i = 0; i < len;) {
        uint32_t c;
        size_t n = utf8_decode(&c, text + i, len - i);

        if (n > 0 && text[i] != '\0') {
            i += n;
            continue;
        }
        struct text_place at = text_place_at(text, i);
        if (text[i] == '\0')
            return err_set(e, ERR_CONFIG, "%s:%d:%d: a NUL byte is not allowed", name, at.line,
                           at.column);
        return err_set(e, ERR_CONFIG, "%s:%d:%d: the byte 0x%02x is not valid UTF-8", name, at.line,
                       at.column, (unsigned char)text[i]);
    }
    return 0;
}

static bool needs_escape(uint32_t c)
{
    return utf8_is_control(c) || c == 0x2028 || c == 0x2029 || c == 0xFEFF || c == 0xFFFE ||
           c == 0xFFFF;
}

size_t text_cut(const char *text, size_t max)
{
    size_t len = strnlen(text, max + 1);

    if (len <= max)
        return len;
    len = max;
    for (size_t back = 0; back < 4 && len > back; back++)
        if (!utf8_is_inside(text[len - back]))
            return len - back;
    return len; /* not UTF-8 */
}

void text_strip_private_keys(char *text)
{
    static const char BEGIN[] = "-----BEGIN ", PRIVATE[] = "PRIVATE KEY-----", END[] = "-----END ";

    for (char *at = text; (at = strstr(at, BEGIN));) {
        char *word = strstr(at, PRIVATE);
        char *from = word ? word + strlen(PRIVATE) : NULL;
        char *end = strstr(at, END);

        if (!from || !end || end < from) {
            at += strlen(BEGIN);
            continue;
        }
        memmove(from, end, strlen(end) + 1);
        at = from + strlen(END);
    }
}

void text_quote(struct buf *b, const char *text)
{
    static const char named[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";

    buf_putc(b, '"');
    size_t left = strlen(text), n;
    for (const char *p = text; left > 0; p += n, left -= n) {
        const char *name = strchr(named, *p);
        uint32_t c = 0;

        n = utf8_decode(&c, p, left);
        if (n == 0) { /* not UTF-8: only a program can have put it there */
            n = 1;
            buf_puts(b, "\\ufffd");
        } else if (name) {
            buf_putc(b, '\\');
            buf_putc(b, letters[name - named]);
        } else if (needs_escape(c)) {
            buf_printf(b, "\\u%04x", (unsigned)c);
        } else {
            buf_add(b, p, n);
        }
    }
    buf_putc(b, '"');
}

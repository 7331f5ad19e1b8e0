/* SPDX-License-Identifier: MIT */
#include "base/log_text.h"

#include <string.h>

#include "base/utf8.h"

void log_text_json(struct buf *b, const char *key, const char *text)
{
    size_t left = strlen(text), n;

    buf_printf(b, "%s\"%s\":\"", b->len > 1 ? "," : "", key);
    for (; left > 0; text += n, left -= n) {
        uint32_t c = 0;

        n = utf8_decode(&c, text, left);
        if (n == 0) {
            n = 1;
            buf_puts(b, "\\ufffd");
        } else if (c == '"' || c == '\\') {
            buf_printf(b, "\\%c", *text);
        } else if (c == '\n') {
            buf_puts(b, "\\n");
        } else if (utf8_is_control(c)) {
            buf_printf(b, "\\u%04x", (unsigned)c);
        } else {
            buf_add(b, text, n);
        }
    }
    buf_putc(b, '"');
}

void log_text_plain(struct buf *b, const char *text)
{
    size_t left = strlen(text), n;

    for (; left > 0; text += n, left -= n) {
        uint32_t c = 0;

        n = utf8_decode(&c, text, left);
        if (c == '\n')
            buf_puts(b, "\n    ");
        else if (n == 0 || (utf8_is_control(c) && c != '\t'))
            buf_putc(b, '?');
        else
            buf_add(b, text, n);
        n = n ? n : 1;
    }
}

/* SPDX-License-Identifier: MIT */
#include "cmd/top_text.h"

#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/utf8.h"
#include "cmd/out.h"

void top_bytes(char out[16], int64_t bytes)
{
    static const char units[] = " KMGTPE";
    double value = (double)bytes;
    size_t unit = 0;

    if (bytes < 0) {
        snprintf(out, 16, "-");
        return;
    }
    for (; value >= 999.5 && unit + 2 < sizeof(units); unit++)
        value /= 1024;
    if (unit == 0)
        snprintf(out, 16, "%d", (int)value);
    else
        snprintf(out, 16, value < 9.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

void top_percent(char out[16], int64_t millicores)
{
    if (millicores < 0)
        snprintf(out, 16, "-");
    else
        snprintf(out, 16, millicores < 999 ? "%.1f" : "%.0f", (double)millicores / 10.0);
}

bool top_text_is_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static size_t columns_of(uint32_t c, bool utf8)
{
    int width;

    if (c < 0x80 || !utf8)
        return 1;
    width = wcwidth((wchar_t)c);
    return width > 0 ? (size_t)width : 0;
}

static void put(struct buf *b, const struct buf *from, size_t at, size_t n)
{
    if ((unsigned char)from->data[at] < 0x80)
        buf_putc(b, from->data[at] == '\t' ? ' ' : from->data[at]);
    else
        buf_add(b, from->data + at, n);
}

size_t top_cut(struct buf *b, const char *text, size_t width, bool utf8)
{
    auto_buf struct buf safe = {0};
    size_t used = 0, n;
    size_t room = b->len, room_used = 0; /* what may stay when there is no room for the rest */

    if (width == 0)
        return 0;
    buf_init(&safe, TOP_TEXT_MAX);
    out_safe(&safe, text, strnlen(text, TOP_TEXT_MAX / 4));
    for (size_t i = 0; i < safe.len; i += n) {
        uint32_t c = '?';
        size_t columns;

        n = utf8_decode(&c, safe.data + i, safe.len - i);
        n = n ? n : 1;
        columns = columns_of(c, utf8);
        if (columns == 0) /* it would stand on its neighbour, or turn the line round */
            continue;
        if (used + columns > width) {
            b->len = room;
            buf_putc(b, '~');
            return room_used + 1;
        }
        if (c >= 0x80 && !utf8)
            buf_putc(b, '?');
        else
            put(b, &safe, i, n);
        used += columns;
        if (used < width) {
            room = b->len;
            room_used = used;
        }
    }
    return used;
}

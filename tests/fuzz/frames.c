/* SPDX-License-Identifier: MIT */
/* The first byte says how the rest is cut into reads; frames, then log lines, must be the same for
 * every cut, and never more bytes than came in. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/frames.h"
#include "engine/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_line(void *arg, int stream, const char *text, size_t len)
{
    if (stream != 1 && stream != 2)
        abort();
    if (len > LINES_LINE_MAX || memchr(text, '\n', len))
        abort();
    buf_printf(arg, "%d:%zu:", stream, len);
    buf_add(arg, text, len);
}

static void on_frame(void *arg, int stream, const char *p, size_t len)
{
    lines_message(arg, stream, p, len);
}

static void read_in_pieces(struct buf *seen, const char *p, size_t len, size_t piece)
{
    struct frames f;
    struct lines l;
    struct err e = {0};
    int r = 0;

    buf_init(seen, 64 << 20);
    lines_init(&l, true);
    l.line = on_line;
    l.arg = seen;
    frames_init(&f, on_frame, &l);
    for (size_t at = 0; at < len && r == 0; at += piece)
        r = frames_feed(&f, p + at, len - at < piece ? len - at : piece, &e);
    lines_resume(&l);
    lines_message(&l, 1, p, len);
    lines_end(&l);
    frames_clear(&f);
    lines_clear(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    auto_buf struct buf whole, cut;
    read_in_pieces(&whole, (const char *)data + 1, size - 1, size - 1);
    read_in_pieces(&cut, (const char *)data + 1, size - 1, data[0] % 32 + 1);
    if (whole.len != cut.len || memcmp(buf_str(&whole), buf_str(&cut), cut.len) != 0)
        abort();
    return 0;
}

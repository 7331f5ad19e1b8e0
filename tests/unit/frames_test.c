/* SPDX-License-Identifier: MIT */
#include "engine/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/lines.h"

static void record_frame(void *arg, int stream, const char *p, size_t len)
{
    buf_printf(arg, "[%d:%.*s]", stream, (int)len, p);
}

static void record_line(void *arg, int stream, const char *text, size_t len)
{
    if (len > 100)
        buf_printf(arg, "%d:%zu bytes\n", stream, len);
    else
        buf_printf(arg, "%d:%.*s\n", stream, (int)len, text);
}

static const char two_frames[] = "\1\0\0\0\0\0\0\5hello\2\0\0\0\0\0\0\3err\1\0\0\0\0\0\0\0";

static void frames_come_out_whole_however_they_were_cut(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= sizeof(two_frames); piece++) {
        auto_buf struct buf seen;
        struct frames f;
        struct err e = {0};

        buf_init(&seen, 1000);
        frames_init(&f, record_frame, &seen);
        for (size_t at = 0; at < sizeof(two_frames) - 1; at += piece) {
            size_t left = sizeof(two_frames) - 1 - at;

            assert_int_equal(frames_feed(&f, two_frames + at, left < piece ? left : piece, &e), 0);
        }
        frames_clear(&f);
        assert_string_equal(buf_str(&seen), "[1:hello][2:err]");
    }
}

static void a_broken_header_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *head, *message;
    } cases[] = {
        {"\4\0\0\0\0\0\0\1", "Docker's stream is broken: no frame header"},
        {"\1\0\1\0\0\0\0\1", "Docker's stream is broken: no frame header"},
        {"HTTP/1.1", "Docker's stream is broken: no frame header"},
        {"\1\0\0\0\1\0\0\1", "Docker's stream is broken: a frame of 16777217 bytes"},
        {"\1\0\0\0\377\377\377\377", "Docker's stream is broken: a frame of 4294967295 bytes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct frames f;
        struct err e = {0};

        frames_init(&f, record_frame, NULL);
        assert_int_equal(frames_feed(&f, cases[i].head, 8, &e), -1);
        assert_int_equal(e.code, ERR_REMOTE);
        assert_string_equal(e.msg, cases[i].message);
        frames_clear(&f);
    }
}

static void lines_of(struct lines *l, struct buf *seen, bool stamps)
{
    buf_init(seen, 100000);
    lines_init(l, stamps);
    l->line = record_line;
    l->arg = seen;
}

static void message(struct lines *l, int stream, const char *text)
{
    lines_message(l, stream, text, strlen(text));
}

#define AT(s) "2026-01-31T23:59:59." s "Z "

static void pieces_of_a_long_line_are_put_together_without_their_times(void **state)
{
    (void)state;
    auto_buf struct buf seen;
    struct lines l;
    lines_of(&l, &seen, false);
    message(&l, 1, AT("1") "first ");
    message(&l, 2, AT("2") "err\n");
    message(&l, 1, AT("3") "second\r\n");
    message(&l, 1, AT("4") "\n");
    message(&l, 1, AT("5") "no newline");
    lines_end(&l);
    lines_clear(&l);
    assert_string_equal(buf_str(&seen), "2:err\n1:first second\n1:\n1:no newline\n");
}

static void a_line_keeps_the_time_of_its_first_piece_when_asked(void **state)
{
    (void)state;
    auto_buf struct buf seen;
    struct lines l;
    lines_of(&l, &seen, true);
    message(&l, 1, AT("1") "first ");
    message(&l, 1, AT("2") "second\n");
    message(&l, 1, "no time here\n");
    message(&l, 1, "2026-01-31T23:59:59.without an end\n");
    lines_message(&l, 1, "2026-01-31T23:59:59\0\nZ x\n", 25);
    lines_clear(&l);
    assert_string_equal(
        buf_str(&seen),
        "1:" AT("1") "first second\n1:no time here\n"
                     "1:2026-01-31T23:59:59.without an end\n1:2026-01-31T23:59:59\n1:Z x\n");
}

static void a_resumed_stream_leaves_out_what_was_seen_and_no_more(void **state)
{
    (void)state;
    auto_buf struct buf seen;
    struct lines l;
    lines_of(&l, &seen, false);
    message(&l, 1, AT("1") "a\n");
    message(&l, 1, AT("2") "b\n");
    message(&l, 1, AT("2") "c\n");
    for (int again = 0; again < 2; again++) { /* broken twice at the same place */
        lines_resume(&l);
        message(&l, 1, AT("2") "b\n");
    }
    message(&l, 1, AT("2") "c\n");
    message(&l, 1, AT("2") "d\n");
    message(&l, 1, AT("3") "e\n");
    lines_clear(&l);
    assert_string_equal(buf_str(&seen), "1:a\n1:b\n1:c\n1:d\n1:e\n");
}

static void a_line_over_a_mebibyte_is_cut(void **state)
{
    (void)state;
    auto_buf struct buf seen;
    struct lines l;
    char piece[16384];
    lines_of(&l, &seen, false);
    memset(piece, 'x', sizeof(piece));
    for (int i = 0; i < 80; i++)
        lines_bytes(&l, 1, piece, sizeof(piece));
    lines_bytes(&l, 1, "\nnext\n", 6);
    lines_clear(&l);
    assert_string_equal(buf_str(&seen), "1:1048576 bytes\n1:next\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_out_whole_however_they_were_cut),
        cmocka_unit_test(a_broken_header_is_refused),
        cmocka_unit_test(pieces_of_a_long_line_are_put_together_without_their_times),
        cmocka_unit_test(a_line_keeps_the_time_of_its_first_piece_when_asked),
        cmocka_unit_test(a_resumed_stream_leaves_out_what_was_seen_and_no_more),
        cmocka_unit_test(a_line_over_a_mebibyte_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

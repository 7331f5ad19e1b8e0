/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void the_classic_bad_sequences_are_refused(void **state)
{
    static const char *const rows[] = {
        "\x80",             /* a continuation alone */
        "\xBF",             /* and the last of them */
        "\xC0\x80",         /* U+0000, overlong */
        "\xC0\xAF",         /* '/', overlong */
        "\xC1\xBF",         /* the greatest overlong of two bytes */
        "\xE0\x80\xAF",     /* '/', overlong in three */
        "\xE0\x9F\xBF",     /* the greatest overlong of three bytes */
        "\xF0\x80\x80\xAF", /* '/', overlong in four */
        "\xF0\x8F\xBF\xBF", /* the greatest overlong of four bytes */
        "\xED\xA0\x80",     /* U+D800, the first surrogate */
        "\xED\xBF\xBF",     /* U+DFFF, the last one */
        "\xF4\x90\x80\x80", /* U+110000 */
        "\xF5\x80\x80\x80",
        "\xF8\x88\x80\x80\x80",
        "\xFC\x84\x80\x80\x80\x80",
        "\xFE",
        "\xFF",
        "\xC3",
        "\xC3(",
        "\xE2\x82",
        "\xE2\x82(",
        "\xE2(\xA1",
        "\xF0\x90\x8C",
        "\xF0(\x8C\xBC",
    };
    uint32_t c = 7;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (utf8_decode(&c, rows[i], strlen(rows[i])) != 0)
            fail_msg("row %zu is not well formed", i);
    assert_int_equal(utf8_decode(&c, "a", 0), 0);
    assert_int_equal(c, 7);
}

static size_t encode(char *out, uint32_t c)
{
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(leads[n] | c);
    return n;
}

static void every_character_is_decoded_and_a_byte_less_is_not(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        char text[4];
        size_t n = encode(text, c);
        uint32_t got = 0;
        bool surrogate = c >= 0xD800 && c <= 0xDFFF;

        if (utf8_decode(&got, text, n) != (surrogate ? 0 : n) || (!surrogate && got != c))
            fail_msg("U+%04X", c);
        if (utf8_decode(&got, text, n - 1) != 0)
            fail_msg("U+%04X cut short", c);
    }
}

/* So nothing but the characters above is taken. */
static void there_are_as_many_sequences_as_characters(void **state)
{
    size_t counts[5] = {0};

    (void)state;
    for (uint32_t bytes = 0; bytes < 1u << 24; bytes++) {
        char text[3] = {(char)(bytes >> 16), (char)(bytes >> 8), (char)bytes};
        uint32_t c;

        counts[utf8_decode(&c, text, sizeof(text))]++;
    }
    assert_int_equal(counts[1], 0x80 << 16);
    assert_int_equal(counts[2], (0x800 - 0x80) << 8);
    assert_int_equal(counts[3], 0x10000 - 0x800 - 0x800);
}

static void controls_are_those_a_terminal_acts_on(void **state)
{
    static const struct {
        uint32_t c;
        bool control;
    } rows[] = {{0, true},    {0x1F, true}, {' ', false}, {'~', false},  {0x7F, true},
                {0x80, true}, {0x9B, true}, {0x9F, true}, {0xA0, false}, {0x2028, false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(utf8_is_control(rows[i].c), rows[i].control);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_classic_bad_sequences_are_refused),
        cmocka_unit_test(every_character_is_decoded_and_a_byte_less_is_not),
        cmocka_unit_test(there_are_as_many_sequences_as_characters),
        cmocka_unit_test(controls_are_those_a_terminal_acts_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

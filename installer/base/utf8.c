/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include "base/mem.h"

/* By length: the bits that the first byte begins with, where they are, and the least code point. */
static const struct {
    unsigned char lead, mask;
    uint32_t least;
} FORMS[] = {{0x00, 0x80, 0}, {0xC0, 0xE0, 0x80}, {0xE0, 0xF0, 0x800}, {0xF0, 0xF8, 0x10000}};

size_t utf8_decode(uint32_t *c, const char *p, size_t left)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t n = 0;
    uint32_t value;

    if (left == 0)
        return 0;
    while (n < ARRAY_LEN(FORMS) && (u[0] & FORMS[n].mask) != FORMS[n].lead)
        n++;
    if (n == ARRAY_LEN(FORMS) || n >= left)
        return 0;
    value = u[0] & (unsigned char)~FORMS[n].mask;
    for (size_t i = 1; i <= n; i++) {
        if ((u[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (u[i] & 0x3F);
    }
    if (value < FORMS[n].least || (value >= 0xD800 && value <= 0xDFFF) || value > 0x10FFFF)
        return 0;
    *c = value;
    return n + 1;
}

bool utf8_is_inside(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

bool utf8_is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *encode(const void *p, size_t len, const char *alphabet, bool padded)
{
    const unsigned char *in = p;
    char *text = mem_array(len / 3 + 1, 4 + 1), *at = text;

    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)in[i] << 16;

        if (n > 1)
            bits |= (uint32_t)in[i + 1] << 8;
        if (n > 2)
            bits |= in[i + 2];
        for (size_t k = 0; k < 4; k++) {
            if (k <= n)
                *at++ = alphabet[bits >> (18 - 6 * k) & 63];
            else if (padded)
                *at++ = '=';
        }
    }
    return text;
}

char *base64_encode(const void *p, size_t len)
{
    return encode(p, len, standard, true);
}

char *base64url_encode(const void *p, size_t len)
{
    return encode(p, len, for_urls, false);
}

static int value_of(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(char **out, size_t *len, const char *text, size_t text_len, struct err *e)
{
    size_t pad = 0, used = 0;

    if (text_len % 4)
        return err_set(e, ERR_CONFIG, "base64 text of %zu bytes is not a multiple of four",
                       text_len);
    while (pad < 2 && pad < text_len && text[text_len - 1 - pad] == '=')
        pad++;
    auto_free char *bytes = mem_alloc(text_len / 4 * 3 + 1);
    for (size_t i = 0; i < text_len; i += 4) {
        size_t take = i + 4 == text_len ? 4 - pad : 4;
        uint32_t bits = 0;

        for (size_t k = 0; k < 4; k++) {
            int v = k < take ? value_of((unsigned char)text[i + k]) : 0;

            if (v < 0)
                return err_set(e, ERR_CONFIG, "base64 text has a foreign character at byte %zu",
                               i + k);
            bits = bits << 6 | (uint32_t)v;
        }
        /* Bits behind the last byte must be zero: one value has one spelling. */
        if (take < 4 && bits & ((1u << (8 * (4 - take))) - 1))
            return err_set(e, ERR_CONFIG, "base64 text has bits behind its end");
        for (size_t k = 0; k + 1 < take; k++)
            bytes[used++] = (char)(bits >> (16 - 8 * k));
    }
    *out = steal(bytes);
    *len = used;
    return 0;
}

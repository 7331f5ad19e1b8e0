/* SPDX-License-Identifier: MIT */
/* UTF-8 (RFC 3629), decoded in one place: what is refused here is refused everywhere. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the character at p, of `left` bytes, and its code point in *c. 0, and *c untouched,
 * when it is cut short or not well formed: overlong forms, surrogates and what lies beyond U+10FFFF
 * are not. */
size_t utf8_decode(uint32_t *c, const char *p, size_t left);
/* Whether a byte is inside a character, and not its first. */
bool utf8_is_inside(char byte);
/* C0 controls, DEL and C1 controls: a terminal acts on them. */
bool utf8_is_control(uint32_t c);

#endif

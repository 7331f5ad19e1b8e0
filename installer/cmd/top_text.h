/* SPDX-License-Identifier: MIT */
/* Text for a cell of the screen: never wider than that, and harmless whoever wrote it. Pure but for
 * the locale. */
#ifndef CMD_TOP_TEXT_H
#define CMD_TOP_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { TOP_TEXT_MAX = 16 << 10 };

/* "0", "812", "1.2K", "34M" of bytes, 1024 to a K, at most 5 columns; "-" of what is not known
 * (< 0). */
void top_bytes(char out[16], int64_t bytes);
/* Percent of one core: "0.3", "104"; "-" of what is not known. */
void top_percent(char out[16], int64_t millicores);
/* Whether the terminal's locale (LC_CTYPE) can show more than ASCII. */
bool top_text_is_utf8(void);
/* Appends the text with controls and broken UTF-8 made visible, cut after `width` columns, of which
 * the last one is "~" then; what has no width is left out. Without `utf8` what is not ASCII becomes
 * "?". The columns that were appended. */
size_t top_cut(struct buf *b, const char *text, size_t width, bool utf8);

#endif

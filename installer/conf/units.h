/* SPDX-License-Identifier: MIT */
/* Sizes and durations as people write them. One unit, whole numbers: what is written is exact. */
#ifndef CONF_UNITS_H
#define CONF_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* Said in messages: "a whole number of bytes, or with KiB, MiB, GiB or TiB, like 512MiB". Static.
 */
extern const char UNITS_SIZE_HELP[];
extern const char UNITS_DURATION_HELP[];

/* "1GiB" or plain bytes. False when it is not one, negative or beyond int64. */
bool units_parse_size(int64_t *bytes, const char *text);
/* "100ms", "1s", "5min", "2h", "7d"; a unit is required. */
bool units_parse_duration(int64_t *ms, const char *text);
/* In the largest unit that is exact, into out[32]: parsing it gives the value back. */
void units_format_size(char out[32], int64_t bytes);
void units_format_duration(char out[32], int64_t ms);

#endif

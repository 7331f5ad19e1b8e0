/* SPDX-License-Identifier: MIT */
/*
 * Sizes and durations as people write them, with one unit. A size means what it means to LVM,
 * Docker and qemu-img: K, M, G and T are powers of 1024, however they are written.
 */
#ifndef CONF_UNITS_H
#define CONF_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Said in messages: "a size like 512MiB, 1.5G or plain bytes". Static. */
extern const char UNITS_SIZE_HELP[];
extern const char UNITS_DURATION_HELP[];

/* What the pattern says: "1GiB", "1G", "1gb", "1.5GiB" or plain bytes; what a fraction
 * gives beyond whole bytes is cut off. False when it is not one, negative or beyond int64. */
#define UNITS_SIZE_PATTERN "^([0-9]+(\\.[0-9]+)?[KMGTkmgt][iI]?[bB]?|[0-9]+[bB]?)$"
bool units_parse_size(int64_t *bytes, const char *text);
/* "100ms", "1s", "5min", "2h", "7d"; a unit is required. */
bool units_parse_duration(int64_t *ms, const char *text);
/* In the largest unit that is exact, into out[32]: parsing it gives the value back. */
void units_format_size(char out[32], int64_t bytes);
void units_format_duration(char out[32], int64_t ms);
/* The unit of a size at `i`, the largest first, the last one "" (bytes); NULL behind it. Static. */
const char *units_size_unit(int64_t *factor, size_t i);

#endif

/* SPDX-License-Identifier: MIT */
#include "conf/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

const char UNITS_SIZE_HELP[] = "a size like 512MiB, 1.5G or plain bytes";
const char UNITS_DURATION_HELP[] = "a whole number with ms, s, min, h or d, like 30s";

enum { PLACES_MAX = 18 }; /* of a fraction; further ones are less than a byte */

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first, for formatting. */
static const struct unit sizes[] = {
    {"TiB", INT64_C(1) << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1},
};
static const struct unit durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"min", 60000}, {"s", 1000}, {"ms", 1},
};

static bool parse(int64_t *out, const char *text, const struct unit *units, size_t count)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0)
        return false;
    errno = 0;
    long long number = strtoll(text, NULL, 10);
    if (errno != 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text + digits, units[i].name) != 0)
            continue;
        return !__builtin_mul_overflow((int64_t)number, units[i].factor, out);
    }
    return false;
}

static void format(char out[32], int64_t value, const struct unit *units, size_t count)
{
    size_t i = 0;

    while (i + 1 < count && (value == 0 || value % units[i].factor != 0))
        i++;
    snprintf(out, 32, "%" PRId64 "%s", value / units[i].factor, units[i].name);
}

/* The factor of "", "B", "K", "Ki", "KB", "KiB" and so on; 0: it is not a unit. */
static int64_t size_factor(const char *unit)
{
    if (strcasecmp(unit, "B") == 0)
        return 1;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        const char *name = sizes[i].name;

        /* "KiB" without its i, its B or both. */
        if (strcasecmp(unit, name) == 0 ||
            (*name && strncasecmp(unit, name, 1) == 0 &&
             (!unit[1] || strcasecmp(unit + 1, "i") == 0 || strcasecmp(unit + 1, "B") == 0)))
            return sizes[i].factor;
    }
    return 0;
}

bool units_parse_size(int64_t *bytes, const char *text)
{
    size_t digits = strspn(text, "0123456789"), places = 0;
    const char *point = text + digits, *unit = point;
    __int128 fraction = 0, power = 1;
    long long number;
    int64_t factor;

    if (*point == '.') {
        places = strspn(point + 1, "0123456789");
        unit = point + 1 + places;
    }
    factor = size_factor(unit);
    /* There is no part of a byte. */
    if (digits == 0 || factor == 0 || (unit > point && (places == 0 || factor == 1)))
        return false;
    for (size_t i = 0; i < places && i < PLACES_MAX; i++) {
        fraction = fraction * 10 + (point[1 + i] - '0');
        power *= 10;
    }
    errno = 0;
    number = strtoll(text, NULL, 10);
    if (errno != 0 || __builtin_mul_overflow((int64_t)number, factor, bytes))
        return false;
    return !__builtin_add_overflow(*bytes, (int64_t)(fraction * factor / power), bytes);
}

bool units_parse_duration(int64_t *ms, const char *text)
{
    return parse(ms, text, durations, ARRAY_LEN(durations));
}

void units_format_size(char out[32], int64_t bytes)
{
    format(out, bytes, sizes, ARRAY_LEN(sizes));
}

void units_format_duration(char out[32], int64_t ms)
{
    format(out, ms, durations, ARRAY_LEN(durations));
}

const char *units_size_unit(int64_t *factor, size_t i)
{
    if (i >= ARRAY_LEN(sizes))
        return NULL;
    *factor = sizes[i].factor;
    return sizes[i].name;
}

/* SPDX-License-Identifier: MIT */
#include "conf/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char UNITS_SIZE_HELP[] = "a whole number of bytes, or with KiB, MiB, GiB or TiB, like 512MiB";
const char UNITS_DURATION_HELP[] = "a whole number with ms, s, min, h or d, like 30s";

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

bool units_parse_size(int64_t *bytes, const char *text)
{
    return parse(bytes, text, sizes, ARRAY_LEN(sizes));
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

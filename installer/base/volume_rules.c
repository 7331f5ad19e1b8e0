/* SPDX-License-Identifier: MIT */
#include "base/volume_rules.h"

#include <string.h>

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

const struct volume_rules volume_rules = {
    .name_first = LETTERS_AND_DIGITS,
    .name_further = LETTERS_AND_DIGITS "_.-",
    .name_length_max = VOLUME_NAME_LENGTH_MAX,
    .size_min = INT64_C(1) << 20,
    .size_max = INT64_C(64) << 40,
    .size_step = INT64_C(1) << 20,
    .create_options = {"size", "pool", "data-pool", "from"},
};

bool volume_name_is_allowed(const char *name)
{
    const struct volume_rules *r = &volume_rules;
    size_t most = (size_t)r->name_length_max;
    size_t len = name ? strnlen(name, most + 1) : 0;

    if (len == 0 || len > most || !strchr(r->name_first, name[0]))
        return false;
    return strspn(name, r->name_further) == len;
}

bool volume_size_is_in_range(int64_t bytes)
{
    return bytes >= volume_rules.size_min && bytes <= volume_rules.size_max;
}

bool volume_size_is_whole(int64_t bytes)
{
    return bytes % volume_rules.size_step == 0;
}

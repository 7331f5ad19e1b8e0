/* SPDX-License-Identifier: MIT */
#include "base/volume_rules.h"

#include <string.h>

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
static const int64_t SIZE_STEP = (int64_t)1 << 20;
static const int64_t SIZE_MOST = (int64_t)64 << 40;

bool volume_name_is_allowed(const char *name)
{
    size_t len = name ? strnlen(name, VOLUME_NAME_LENGTH_MAX + 1) : 0;

    if (len == 0 || len > VOLUME_NAME_LENGTH_MAX || !strchr(LETTERS, name[0]))
        return false;
    return strspn(name, "_.-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == len;
}

bool volume_size_is_in_range(int64_t bytes)
{
    return bytes >= SIZE_STEP && bytes <= SIZE_MOST;
}

bool volume_size_is_whole(int64_t bytes)
{
    return bytes % SIZE_STEP == 0;
}

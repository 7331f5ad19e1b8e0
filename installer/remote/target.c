/* SPDX-License-Identifier: MIT */
#include "remote/target.h"

#include <string.h>

#include "base/mem.h"

char *target_name(const char *word)
{
    const char *slash = strchr(word, '/');
    size_t len = slash ? (size_t)(slash - word) : 0;

    if (!slash)
        return mem_strdup(word);
    if (strncmp(slash + 1, word, len) == 0 && slash[1 + len] == '-')
        return mem_strdup(slash + 1);
    return mem_printf("%.*s-%s", (int)len, word, slash + 1);
}

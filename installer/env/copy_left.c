/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "env/copy_item.h"

void copy_left_add(struct copy_left *l, const char *name)
{
    l->count++;
    if (l->names.count < COPY_LEFT_NAMES)
        strv_add(&l->names, name);
}

void copy_left_take(struct copy_left *l, const char *printed)
{
    static const char before[] = "skipping non-regular file \"";
    auto_strv struct strv lines = {0};

    strv_split(&lines, printed ? printed : "", "\n"); /* it writes one in a name as \#012 */
    for (size_t i = 0; i < lines.count; i++) {
        const char *name = lines.items[i] + strlen(before), *end = strrchr(lines.items[i], '"');

        if (strncmp(lines.items[i], before, strlen(before)) != 0 || end < name)
            continue;
        auto_free char *copy = mem_strndup(name, (size_t)(end - name));
        copy_left_add(l, copy);
    }
}

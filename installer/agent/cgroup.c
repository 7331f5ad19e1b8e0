/* SPDX-License-Identifier: MIT */
#include "agent/cgroup.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"

enum { FILE_MAX = 4096 };

static const char COUNT[] = "oom_kill ";

int64_t cgroup_oom_kills(const char *root)
{
    static const char *const files[] = {"memory.events", "memory/memory.oom_control"};

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        auto_free char *path = fs_join(root, files[i]);
        auto_free char *text = NULL;
        size_t len = 0;
        struct err e;

        if (fs_read(&text, &len, path, FILE_MAX, &e) < 0)
            continue;
        for (const char *line = text; line; line = strchr(line, '\n')) {
            line += *line == '\n';
            if (strncmp(line, COUNT, sizeof(COUNT) - 1) == 0)
                return strtoll(line + sizeof(COUNT) - 1, NULL, 10);
        }
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "plan/fault.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct fault fault_parse(const char *text)
{
    static const struct {
        const char *word;
        int signal;
    } KINDS[] = {{"kill-after:", SIGKILL}, {"stop-after:", SIGSTOP}};

    for (size_t i = 0; text && i < ARRAY_LEN(KINDS); i++) {
        size_t len = strlen(KINDS[i].word);
        char *end = NULL;
        long n;

        if (strncmp(text, KINDS[i].word, len) != 0)
            continue;
        n = strtol(text + len, &end, 10);
        if (end != text + len && *end == '\0' && n > 0)
            return (struct fault){.after = n, .signal = KINDS[i].signal};
    }
    return (struct fault){0};
}

void fault_point(struct fault *f)
{
    if (f->after > 0 && --f->after == 0)
        raise(f->signal); /* this thread first: nothing comes after it */
}

/* SPDX-License-Identifier: MIT */
#include "host/copy.h"

#include <inttypes.h>

#include "base/embed.h"
#include "base/mem.h"
#include "base/quote.h"

EMBED_TEXT(host_put_script, "installer/host/put.sh");
extern const char host_put_script[];

char *copy_put_command(const char *path, uint64_t size, unsigned mode)
{
    auto_free char *bytes = mem_printf("%" PRIu64, size), *bits = mem_printf("%o", mode & 07777);
    const char *const words[] = {"/bin/sh", "-c", host_put_script, "sh", path, bytes, bits, NULL};

    return quote_words(words);
}

char *copy_get_command(const char *path)
{
    const char *const words[] = {"cat", "--", path, NULL};

    return quote_words(words);
}

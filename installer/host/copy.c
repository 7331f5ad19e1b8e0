/* SPDX-License-Identifier: MIT */
#include "host/copy.h"

#include "base/quote.h"

enum { COMMAND_MAX = 1 << 20 };

char *copy_put_command(const char *path, uint64_t size, unsigned mode)
{
    struct buf b;

    buf_init(&b, COMMAND_MAX);
    buf_puts(&b, "umask 077; p=");
    quote_add(&b, path);
    /* Where the connection ends, cat sees the end of its input as it does at that of the file. */
    buf_printf(&b,
               "; [ ! -d \"$p\" ] || { echo \"a folder is in the way: $p\" >&2; exit 1; }; "
               "t=$p.slipway.$$; cat >\"$t\" && [ \"$(wc -c <\"$t\")\" -eq %llu ] && "
               "chmod -- %o \"$t\" && mv -f -- \"$t\" \"$p\" || { rm -f -- \"$t\"; exit 1; }",
               (unsigned long long)size, mode & 07777);
    return buf_take(&b);
}

char *copy_get_command(const char *path)
{
    const char *const words[] = {"cat", "--", path, NULL};

    return quote_words(words);
}

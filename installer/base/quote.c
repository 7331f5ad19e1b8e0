/* SPDX-License-Identifier: MIT */
#include "base/quote.h"

#include <string.h>

enum { LINE_MAX_LEN = 4 << 20 };

static const char plain[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";

void quote_add(struct buf *b, const char *word)
{
    size_t len = strlen(word);

    /* A first word with "=" would be an assignment: quoted it is a name. */
    if (len && strspn(word, plain) == len && !strchr(word, '=')) {
        buf_add(b, word, len);
        return;
    }
    buf_putc(b, '\'');
    for (const char *p = word; *p; p++) {
        if (*p == '\'')
            buf_puts(b, "'\\''");
        else
            buf_putc(b, *p);
    }
    buf_putc(b, '\'');
}

char *quote_words(const char *const *words)
{
    struct buf b;

    buf_init(&b, LINE_MAX_LEN);
    for (size_t i = 0; words[i]; i++) {
        if (i)
            buf_putc(&b, ' ');
        quote_add(&b, words[i]);
    }
    return buf_take(&b);
}

/* SPDX-License-Identifier: MIT */
/* Selectors: what is accepted formats to a text that parses to the same terms. */
#include "env/selector.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct selector *a, const struct selector *b)
{
    if (a->count != b->count || a->count == 0)
        abort();
    for (size_t i = 0; i < a->count; i++)
        if (a->terms[i].kind != b->terms[i].kind || strcmp(a->terms[i].text, b->terms[i].text) != 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = mem_strndup((const char *)data, size);
    auto_free char *again = NULL;
    struct selector s, t;
    struct err e;

    if (selector_parse(&s, text, &e) < 0) {
        if (!strstr(e.msg, "selector"))
            abort();
        selector_clear(&s);
        return 0;
    }
    again = selector_format(&s);
    if (strcmp(text, again) != 0 || selector_parse(&t, again, &e) < 0)
        abort();
    same(&s, &t);
    selector_clear(&s);
    selector_clear(&t);
    return 0;
}

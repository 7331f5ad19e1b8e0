/* SPDX-License-Identifier: MIT */
/* The link: no crash; what is accepted is formatted and parsed to the same again; redacted, it says
 * nothing about the password. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "etcd/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = mem_strndup((const char *)data, size);
    struct link *l = NULL, *again = NULL;
    struct err e;

    if (link_parse(&l, text, &e) < 0)
        return 0;
    auto_free char *formatted = link_format(l, false);
    auto_free char *redacted = link_format(l, true);
    /* Escapes may make it longer than a link may be. */
    if (strlen(formatted) <= LINK_MAX) {
        if (link_parse(&again, formatted, &e) < 0)
            abort();
        auto_free char *twice = link_format(again, false);
        if (strcmp(formatted, twice) != 0)
            abort();
        link_free(again);
    }
    /* What is shown does not depend on the password. */
    if (l->password) {
        char other[] = "another", *own = l->password;

        l->password = other;
        auto_free char *shown = link_format(l, true);
        l->password = own;
        if (strcmp(shown, redacted) != 0)
            abort();
    }
    link_free(l);
    return 0;
}

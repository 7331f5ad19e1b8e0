/* SPDX-License-Identifier: MIT */
/* Any bytes: no crash; what is accepted, written and read again is the
 * same tree and the same text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e;
    auto_node struct node *n = NULL, *again = NULL;

    if (json_parse(&n, "f", (const char *)data, size, &e) < 0)
        return 0;
    auto_free char *text = json_text(n);
    if (json_parse(&again, "again", text, strlen(text), &e) < 0 || !node_equal(n, again))
        abort();
    auto_free char *second = json_text(again);
    if (strcmp(text, second) != 0 || n->line < 1)
        abort();
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Snapshots: whatever is accepted has a hash, names and parts that can be asked for. */
#include "agent/tree.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_tree struct tree *t = NULL;
    auto_strv struct strv names = {0};
    struct err e;
    auto_free char *text = mem_strndup((const char *)data, size);

    if (tree_parse(&t, "fuzz", text, strlen(text), "echo", &e) < 0)
        return 0;
    char hash[65];
    tree_hash(hash, t);
    if (strlen(hash) != 64 || tree_names(&names, t->prefix, "echo", &e) < 0)
        abort();
    for (int part = TREE_PART_CONFIG; part <= TREE_PART_SECRET; part++)
        (void)tree_get(t, (enum tree_part)part, "a");
    (void)tree_meta(t);
    return 0;
}

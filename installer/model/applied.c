/* SPDX-License-Identifier: MIT */
#include "model/applied.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/crypto.h"

bool applied_is_report(const char *key)
{
    static const char *const NAMES[] = {"applied", "status", "once", "once.lock"};
    const char *last = strrchr(key, '/');

    /* A configuration key of such a name is one level deeper: .../config/status. */
    if (!last || (last - key >= 7 && strncmp(last - 7, "/config", 7) == 0))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++)
        if (strcmp(last + 1, NAMES[i]) == 0)
            return true;
    return false;
}

static int by_key(const void *a, const void *b)
{
    const struct node *const *x = a, *const *y = b;

    return strcmp((*x)->key, (*y)->key);
}

void applied_hash(char out[65], const struct node *keys)
{
    auto_free const struct node **sorted = mem_array(keys->count + 1, sizeof(*sorted));
    struct crypto_hash *h = crypto_hash_new();
    size_t count = 0;
    const struct node *value;

    node_for_each (value, keys) {
        if (value->text && !applied_is_report(value->key))
            sorted[count++] = value;
    }
    if (count)
        qsort(sorted, count, sizeof(*sorted), by_key);
    for (size_t i = 0; i < count; i++) {
        crypto_hash_add(h, sorted[i]->key, strlen(sorted[i]->key));
        crypto_hash_add(h, "=", 1);
        crypto_hash_add(h, sorted[i]->text, strlen(sorted[i]->text));
        crypto_hash_add(h, "\n", 1);
    }
    crypto_hash_hex(h, out);
}

/* SPDX-License-Identifier: MIT */
#include "model/applied.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "crypto/crypto.h"
#include "model/keys.h"

bool applied_is_report(const char *key)
{
    struct keys_path k;

    if (!keys_parse(&k, key))
        return false;
    return k.kind == KEYS_KIND_INSTANCE_APPLIED || k.kind == KEYS_KIND_INSTANCE_STATUS ||
           k.kind == KEYS_KIND_COMPONENT_ONCE || k.kind == KEYS_KIND_COMPONENT_ONCE_LOCK;
}

bool applied_is_read(const char *key, const char *component, const char *instance)
{
    struct keys_path k;

    if (!keys_parse(&k, key))
        return false;
    switch (k.kind) {
    case KEYS_KIND_COMPONENT_CONFIG:
    case KEYS_KIND_COMPONENT_SHARED:
        return strcmp(k.component, component) == 0;
    case KEYS_KIND_INSTANCE_CONFIG:
    case KEYS_KIND_INSTANCE_SECRET:
    case KEYS_KIND_INSTANCE_META:
        return strcmp(k.instance, instance) == 0;
    default:
        return false;
    }
}

bool applied_had_data(const char *text)
{
    auto_node struct node *n = NULL;
    struct err e;

    if (json_parse(&n, "the acknowledgement", text, strlen(text), &e) < 0) {
        err_drop(&e, "whether there was data");
        return false;
    }
    /* Those of agents that did not say it yet: whoever took its keys was ready. */
    return node_text_is(n, "data", "true") || node_text_is(n, "result", "ok");
}

static int by_key(const void *a, const void *b)
{
    const struct node *const *x = a, *const *y = b;

    return strcmp((*x)->key, (*y)->key);
}

void applied_hash_map(char out[65], const struct node *map)
{
    auto_free const struct node **sorted = mem_array(map->count + 1, sizeof(*sorted));
    struct crypto_hash *h = crypto_hash_new();
    size_t count = 0;
    const struct node *value;

    node_for_each (value, map) {
        if (value->text)
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

void applied_hash(char out[65], const struct node *keys, const char *component,
                  const char *instance)
{
    auto_node struct node *mine = node_new_map();
    const struct node *value;

    node_for_each (value, keys) {
        if (value->text && applied_is_read(value->key, component, instance))
            node_append(mine, value->key, node_new_string(value->text));
    }
    applied_hash_map(out, mine);
}

int64_t applied_hash_stored(char out[65], const struct etcd_kvs *kvs, const char *env,
                            const char *component, const char *instance)
{
    auto_node struct node *mine = node_new_map();
    auto_free char *shared = keys_component(env, component), *own = keys_instance(env, instance);
    const char *const prefixes[] = {shared, own};
    int64_t newest = 0;

    for (size_t p = 0; p < ARRAY_LEN(prefixes); p++) {
        size_t count, first = etcd_kvs_below(&count, kvs, prefixes[p]);

        for (size_t i = first; i < first + count; i++) {
            const struct etcd_kv *kv = &kvs->items[i];

            if (!applied_is_read(kv->key, component, instance))
                continue;
            node_append(mine, kv->key, node_new_string(kv->value));
            if (kv->mod_revision > newest)
                newest = kv->mod_revision;
        }
    }
    applied_hash_map(out, mine);
    return newest;
}

enum applied_is applied_judge(const struct node *applied, const char *hash, int64_t newest)
{
    if (!node_text_is(applied, "hash", hash) || node_get_int(applied, "revision", 0) < newest)
        return APPLIED_IS_NONE;
    return node_text_is(applied, "result", "ok") ? APPLIED_IS_OK : APPLIED_IS_FAILED;
}

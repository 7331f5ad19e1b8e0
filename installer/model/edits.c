/* SPDX-License-Identifier: MIT */
#include "model/edits.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"

void edits_split(char **component, char **name, const char *word)
{
    const char *slash = strchr(word, '/');

    *component = slash ? mem_strndup(word, (size_t)(slash - word)) : NULL;
    *name = mem_strdup(slash ? slash + 1 : word);
}

bool edits_has(const struct edits *l, const char *key)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->items[i].key, key) == 0)
            return true;
    return false;
}

/* Takes the key. */
static void add(struct edits *l, const char *component, const char *instance, const char *name,
                char *key)
{
    if (edits_has(l, key)) {
        free(key);
        return;
    }
    l->items = mem_grow(l->items, l->count + 1, sizeof(*l->items));
    l->items[l->count++] = (struct edit){.component = mem_strdup(component),
                                         .instance = instance ? mem_strdup(instance) : NULL,
                                         .name = mem_strdup(name),
                                         .key = key};
}

static void add_word(struct edits *l, const char *env, const struct node *document,
                     const struct manifest *m, const char *word)
{
    const struct node *components = node_get(document, "components");
    int64_t count = node_get_int(node_get(components, m->name), "instances", m->instances_default);
    auto_free char *component = NULL;
    auto_free char *name = NULL;

    edits_split(&component, &name, word);
    if (component) {
        if (node_get(components, component))
            add(l, component, NULL, name, keys_component_config(env, component, name));
        return;
    }
    for (int64_t i = 1; i <= count; i++) {
        auto_free char *instance = mem_printf("%s-%lld", m->name, (long long)i);

        add(l, m->name, instance, name, keys_instance_config(env, instance, name));
    }
}

void edits_find(struct edits *out, const char *env, const struct node *document,
                const struct catalog *c)
{
    const struct node *components = node_get(document, "components"), *n;

    *out = (struct edits){0};
    node_for_each (n, components) {
        const struct manifest *m = catalog_find(c, n->key);

        for (size_t i = 0; m && i < m->edits.count; i++)
            add_word(out, env, document, m, m->edits.items[i]);
    }
}

void edits_clear(struct edits *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->items[i].component);
        free(l->items[i].instance);
        free(l->items[i].name);
        free(l->items[i].key);
    }
    free(l->items);
    *l = (struct edits){0};
}

int edits_read(struct etcd_kvs *out, struct etcd *c, const struct edits *l, struct err *e)
{
    auto_free const char **names = mem_array(l->count + 1, sizeof(*names));

    *out = (struct etcd_kvs){0};
    for (size_t i = 0; i < l->count; i++)
        names[i] = l->items[i].key;
    return l->count ? etcd_range_many(out, c, names, l->count, e) : 0;
}

static struct node *child(struct node *map, const char *key)
{
    struct node *n = node_get(map, key);

    return n && n->kind == NODE_KIND_MAP ? n : node_set(map, key, node_new_map());
}

static void adopt(struct node *document, const struct edit *t, const struct etcd_kv *kv)
{
    struct node *holder, *value = NULL;
    struct err e;

    if (json_parse(&value, t->key, kv->value, kv->value_len, &e) < 0) {
        err_drop(&e, "what an instance wrote");
        return;
    }
    if (value->kind != NODE_KIND_MAP) {
        log_warn("%s is not a map; what the document says counts", t->key);
        node_free(value);
        return;
    }
    holder = child(child(document, "components"), t->component);
    if (t->instance)
        holder = child(child(holder, "overrides"), t->instance);
    node_sort(value);
    node_set(child(holder, "config"), t->name, value);
}

void edits_adopt(struct node *document, const struct edits *l, const struct etcd_kvs *kvs,
                 int64_t stored)
{
    for (size_t i = 0; document && i < l->count; i++) {
        const struct etcd_kv *kv = etcd_kvs_find(kvs, l->items[i].key);

        if (kv && kv->mod_revision > stored)
            adopt(document, &l->items[i], kv);
    }
}

/* Without what is newer. */
static int parse(struct edits_document *d, const struct etcd_kv *kv, const char *env,
                 const struct catalog *catalog, struct err *e)
{
    if (json_parse(&d->root, kv->key, kv->value, kv->value_len, e) < 0)
        return -1;
    d->mod_revision = kv->mod_revision;
    d->document = node_copy(node_get(d->root, "document"));
    if (!d->document)
        return err_set(e, ERR_NOTFOUND, "%s holds no document", kv->key);
    edits_find(&d->edits, env, d->document, catalog);
    return 0;
}

int edits_document_parse(struct edits_document *d, const struct etcd_kv *kv,
                         const struct etcd_kvs *keys, const char *env,
                         const struct catalog *catalog, struct err *e)
{
    if (parse(d, kv, env, catalog, e) < 0)
        return -1;
    edits_adopt(d->document, &d->edits, keys, d->mod_revision);
    return 0;
}

int edits_document_read(struct edits_document *d, struct etcd *c, const char *env,
                        const struct catalog *catalog, struct err *e)
{
    auto_free char *key = keys_spec(env);
    struct etcd_kv kv = {0};
    int r = etcd_get(&kv, c, key, e);

    if (r == 0)
        r = parse(d, &kv, env, catalog, e);
    etcd_kv_clear(&kv);
    if (r == 0)
        r = edits_read(&d->edited, c, &d->edits, e);
    if (r == 0)
        edits_adopt(d->document, &d->edits, &d->edited, d->mod_revision);
    return r;
}

void edits_document_clear(struct edits_document *d)
{
    node_free(d->root);
    node_free(d->document);
    edits_clear(&d->edits);
    etcd_kvs_clear(&d->edited);
    *d = (struct edits_document){0};
}

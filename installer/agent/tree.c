/* SPDX-License-Identifier: MIT */
#include "agent/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/applied.h"
#include "model/keys.h"

/* Fills the names from an instance's prefix. */
static int read_prefix(struct tree *t, const char *prefix, struct err *e)
{
    struct keys_path k;

    if (!keys_parse(&k, prefix) || k.kind != KEYS_KIND_INSTANCE)
        return err_set(e, ERR_CONFIG, "prefix \"%s\" is not that of an instance's keys", prefix);
    t->prefix = mem_strdup(prefix);
    t->env = mem_strdup(k.env);
    t->instance = mem_strdup(k.instance);
    return 0;
}

static struct tree *tree_new(const char *prefix, const char *component, struct err *e)
{
    struct tree *t = mem_alloc(sizeof(*t));

    t->component = mem_strdup(component);
    t->keys = node_new_map();
    if (read_prefix(t, prefix, e) == 0)
        return t;
    tree_free(t);
    return NULL;
}

void tree_free(struct tree *t)
{
    if (!t)
        return;
    free(t->prefix);
    free(t->env);
    free(t->instance);
    free(t->component);
    node_free(t->keys);
    free(t);
}

struct tree *tree_copy(const struct tree *t)
{
    struct tree *copy = mem_alloc(sizeof(*copy));

    *copy = *t;
    copy->prefix = mem_strdup(t->prefix);
    copy->env = mem_strdup(t->env);
    copy->instance = mem_strdup(t->instance);
    copy->component = mem_strdup(t->component);
    copy->keys = node_copy(t->keys);
    return copy;
}

void tree_cleanup(struct tree **t)
{
    tree_free(*t);
}

int tree_names(struct strv *out, const char *prefix, const char *component, struct err *e)
{
    struct tree *t = tree_new(prefix, component, e);

    if (!t)
        return -1;
    strv_take(out, keys_instance_meta(t->env, t->instance));
    strv_take(out, keys_instance_config(t->env, t->instance, ""));
    strv_take(out, keys_instance_secret(t->env, t->instance, ""));
    strv_take(out, keys_component_config(t->env, component, ""));
    strv_take(out, keys_component_shared(t->env, component, ""));
    tree_free(t);
    return 0;
}

int tree_from_kvs(struct tree **out, const struct etcd_kvs *kvs, const char *prefix,
                  const char *component, struct err *e)
{
    *out = NULL;
    auto_tree struct tree *t = tree_new(prefix, component, e);
    if (!t)
        return -1;
    auto_free char *meta = keys_instance_meta(t->env, t->instance);
    for (size_t i = 0; i < kvs->count; i++) {
        const struct etcd_kv *kv = &kvs->items[i];

        if (applied_is_report(kv->key))
            continue;
        if (strlen(kv->value) != kv->value_len)
            return err_set(e, ERR_CONFIG, "key %s holds a NUL byte", kv->key);
        node_set_text(t->keys, kv->key, kv->value);
        if (kv->mod_revision > t->revision)
            t->revision = kv->mod_revision;
        if (strcmp(kv->key, meta) == 0)
            t->asked = kv->mod_revision;
    }
    if (t->keys->count == 0)
        return err_set(e, ERR_NOTFOUND, "nothing is stored under %s", prefix);
    t->from_etcd = true;
    *out = steal(t);
    return 0;
}

int tree_parse(struct tree **out, const char *name, const char *text, size_t len,
               const char *component, struct err *e)
{
    *out = NULL;
    auto_node struct node *root = NULL;
    if (json_parse(&root, name, text, len, e) < 0)
        return -1;
    const char *prefix = node_get_text(root, "prefix");
    struct node *keys = node_get(root, "keys");
    if (!prefix || !keys || keys->kind != NODE_KIND_MAP)
        return err_set(e, ERR_CONFIG, "%s is not a snapshot: it has no prefix or no keys", name);
    auto_tree struct tree *t = tree_new(prefix, component, e);
    if (!t)
        return err_wrap(e, "%s", name);
    const struct node *value;
    node_for_each (value, keys) {
        if (!value->text)
            return err_set(e, ERR_CONFIG, "%s: the value of %s is not a text", name, value->key);
        if (!applied_is_report(value->key))
            node_append(t->keys, value->key, node_new_string(value->text));
    }
    t->revision = node_get_int(root, "revision", 0);
    *out = steal(t);
    return 0;
}

int tree_load(struct tree **out, const char *path, const char *component, struct err *e)
{
    *out = NULL;
    auto_wipe char *text = NULL;
    size_t len = 0;
    if (fs_read(&text, &len, path, TREE_FILE_MAX, e) < 0)
        return err_wrap(e, "snapshot");
    return tree_parse(out, path, text, len, component, e);
}

int tree_save(const struct tree *t, const char *path, struct err *e)
{
    auto_buf struct buf b;

    buf_init(&b, TREE_FILE_MAX);
    auto_node struct node *root = node_new_map();
    node_set_int(root, "revision", t->revision);
    node_set_text(root, "prefix", t->prefix);
    node_set(root, "keys", node_copy(t->keys));
    json_format(&b, root, 1);
    if (b.full)
        return err_set(e, ERR_CONFIG, "snapshot %s would be larger than %d bytes", path,
                       TREE_FILE_MAX);
    return fs_write(path, b.data, b.len,
                    &(struct fs_write_opts){.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1}, e);
}

const char *tree_get(const struct tree *t, enum tree_part part, const char *name)
{
    auto_free char *key = NULL;

    switch (part) {
    case TREE_PART_CONFIG:
        key = keys_component_config(t->env, t->component, name);
        break;
    case TREE_PART_OVERRIDE:
        key = keys_instance_config(t->env, t->instance, name);
        break;
    case TREE_PART_SHARED:
        key = keys_component_shared(t->env, t->component, name);
        break;
    case TREE_PART_SECRET:
        key = keys_instance_secret(t->env, t->instance, name);
        break;
    }
    return node_get_text(t->keys, key);
}

const char *tree_meta(const struct tree *t)
{
    auto_free char *key = keys_instance_meta(t->env, t->instance);

    return node_get_text(t->keys, key);
}

void tree_hash(char out[65], const struct tree *t)
{
    applied_hash(out, t->keys, t->component, t->instance);
}

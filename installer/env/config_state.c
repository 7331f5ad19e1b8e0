/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "env/config.h"
#include "conf/json.h"
#include "crypto/crypto.h"
#include "model/grow.h"
#include "model/keys.h"
#include "volumes/volume.h"

enum { CONFIG_NEEDS = ENV_NEEDS_NAME | ENV_NEEDS_CATALOG | ENV_NEEDS_ETCD };

/* ---- the document ---- */

static int read_document(struct config_state *s, const char *word, struct err *e)
{
    const struct env *env = s->env;

    if (edits_document_read(&s->d, env->etcd, env->name, env->catalog, e) < 0)
        return e->code == ERR_NOTFOUND
                   ? err_set(e, ERR_NOTFOUND, "%s has no document yet; `slipway up` first",
                             env->name)
                   : -1;
    s->before = node_copy(s->d.document);
    return word ? config_aim(s, word, e) : 0;
}

int config_open(struct config_state *s, struct env *env, const char *word, struct err *e)
{
    *s = (struct config_state){.env = env};
    return env_need(env, CONFIG_NEEDS, e) < 0 ? -1 : read_document(s, word, e);
}

int config_begin(struct config_state *s, struct env *env, const char *word,
                 const struct config_commit *o, struct err *e)
{
    *s = (struct config_state){.env = env};
    if (env_need(env, CONFIG_NEEDS, e) < 0 || config_lock(s, o, e) < 0)
        return -1;
    return read_document(s, word, e);
}

void config_close(struct config_state *s)
{
    lock_close(s->lock);
    free(s->target.component);
    free(s->target.instance);
    edits_document_clear(&s->d);
    node_free(s->before);
    node_free(s->changes);
    spec_free(s->spec);
    *s = (struct config_state){0};
}

static struct node *child(struct node *map, const char *key)
{
    struct node *n = node_get(map, key);

    return n && n->kind == NODE_KIND_MAP ? n : node_set(map, key, node_new_map());
}

struct node *config_map(struct config_state *s)
{
    struct node *component = child(child(s->d.document, "components"), s->target.component);

    if (!s->target.instance)
        return child(component, "config");
    return child(child(child(component, "overrides"), s->target.instance), "config");
}

void config_tag(char out[CONFIG_TAG_LEN], struct config_state *s)
{
    auto_node struct node *map = node_copy(config_map(s));
    auto_free char *text = NULL;
    char digest[CRYPTO_HEX_LEN];

    node_sort(map);
    text = json_text(map);
    crypto_sha256_hex(digest, text, strlen(text));
    memcpy(out, digest, CONFIG_TAG_LEN - 1);
    out[CONFIG_TAG_LEN - 1] = '\0';
}

void config_unset(struct config_state *s, const char *key)
{
    struct node *component = child(child(s->d.document, "components"), s->target.component);
    struct node *overrides = node_get(component, "overrides");

    node_remove(config_map(s), key);
    if (!s->target.instance || node_get(node_get(overrides, s->target.instance), "config")->count)
        return;
    node_remove(node_get(overrides, s->target.instance), "config");
    if (node_get(overrides, s->target.instance)->count == 0)
        node_remove(overrides, s->target.instance);
    if (overrides->count == 0)
        node_remove(component, "overrides");
}

/* ---- what follows from it ---- */

static const char *apply_name(const struct manifest *m, const char *key)
{
    static const char *const names[] = {[APPLY_KIND_RESTART] = "restart",
                                        [APPLY_KIND_RELOAD] = "reload",
                                        [APPLY_KIND_LIVE] = "live"};
    const struct config_key *k = manifest_config(m, key);

    return names[k ? k->apply : APPLY_KIND_RESTART];
}

/* Texts of one level's values against what etcd holds below `prefix`. */
static int compare(struct config_state *s, const struct node *wanted, char *prefix,
                   const char *instance, struct err *e)
{
    struct etcd_kvs have = {0};
    const struct node *value;
    int r = etcd_range(&have, s->env->etcd, prefix, e);

    for (size_t i = 0; r == 0 && i < have.count; i++) {
        const char *name = have.items[i].key + strlen(prefix);
        auto_free char *text =
            node_get(wanted, name) ? manifest_value_text(node_get(wanted, name)) : NULL;
        struct node *n;

        if (text && strcmp(text, have.items[i].value) == 0)
            continue;
        n = node_add(s->changes, node_new_map());
        node_set_text(n, "key", have.items[i].key);
        node_set_text(n, "name", name);
        node_set_text(n, "old", have.items[i].value);
        if (text)
            node_set_text(n, "new", text);
        if (instance)
            node_set_text(n, "instance", instance);
        node_set_text(n, "apply", apply_name(s->manifest, name));
    }
    node_for_each (value, wanted) {
        auto_free char *key = mem_printf("%s%s", prefix, value->key);
        auto_free char *text = manifest_value_text(value);
        struct node *n;

        if (r < 0 || etcd_kvs_find(&have, key))
            continue;
        n = node_add(s->changes, node_new_map());
        node_set_text(n, "key", key);
        node_set_text(n, "name", value->key);
        node_set_text(n, "new", text);
        if (instance)
            node_set_text(n, "instance", instance);
        node_set_text(n, "apply", apply_name(s->manifest, value->key));
    }
    etcd_kvs_clear(&have);
    free(prefix);
    return r;
}

/* What only grows, for every instance: an override that goes is a change of value too. */
static int check_growth(const struct config_state *s, const struct spec_component *c, struct err *e)
{
    auto_free char *all = keys_env(s->env->name);
    struct etcd_kvs have = {0};
    int r;

    if (!grow_applies(c->manifest))
        return 0;
    r = etcd_range(&have, s->env->etcd, all, e);
    if (r == 0)
        r = grow_check(s->spec, c, &have, e);
    etcd_kvs_clear(&have);
    return r;
}

int config_plan(struct config_state *s, struct problems *p, struct err *e)
{
    const struct spec_component *c;
    const char *env = s->env->name;

    spec_free(s->spec);
    node_free(s->changes);
    s->changes = node_new_list();
    /* As the stored document has it, or `plan` would see a change of the order. */
    node_sort(config_map(s));
    s->spec = spec_decode(s->d.document, s->env->catalog, p);
    if (!s->spec)
        return err_set(e, ERR_CONFIG, "%zu problem%s; nothing was changed", p->count,
                       p->count == 1 ? "" : "s");
    c = spec_component(s->spec, s->target.component);
    if (check_growth(s, c, e) < 0)
        return -1;
    if (compare(s, c->config, keys_component_config(env, c->manifest->name, ""), NULL, e) < 0)
        return -1;
    for (int i = 0; i < c->count; i++)
        if (compare(s, c->instances[i].overrides,
                    keys_instance_config(env, c->instances[i].name, ""), c->instances[i].name,
                    e) < 0)
            return -1;
    return 0;
}

int config_check(struct config_state *s, struct err *e)
{
    struct problems p;
    int r;

    problems_init(&p, NULL); /* places in a document that nobody wrote */
    r = config_plan(s, &p, e);
    if (r < 0 && p.count == 1)
        err_set(e, ERR_CONFIG, "%s", p.lines.items[0]);
    for (size_t i = 0; r < 0 && p.count > 1 && i < p.lines.count; i++)
        strv_add(&s->env->problems, p.lines.items[i]);
    problems_clear(&p);
    return r;
}

int config_refuse_loss(const struct config_state *s, struct err *e)
{
    return volume_refuse_loss(s->d.document, s->spec, s->before, e);
}

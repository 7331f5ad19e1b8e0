/* SPDX-License-Identifier: MIT */
#include "model/grow.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"

bool grow_applies(const struct manifest *m)
{
    for (size_t i = 0; i < m->config_count; i++)
        if (m->config[i].grows_only)
            return true;
    return false;
}

/* Whether the instance runs, or ran, with what etcd holds. */
static bool has_taken(const struct etcd_kvs *have, const char *env, const char *instance)
{
    auto_free char *key = keys_instance_applied(env, instance);
    const struct etcd_kv *kv = etcd_kvs_find(have, key);
    auto_node struct node *n = NULL;
    struct err e;

    if (!kv)
        return false;
    if (json_parse(&n, key, kv->value, kv->value_len, &e) < 0) {
        err_drop(&e, "the acknowledgement of an instance");
        return false;
    }
    return node_text_is(n, "result", "ok");
}

/* What etcd holds for the instance, borrowed, or NULL. */
static const char *text_in_effect(const struct etcd_kvs *have, const char *env,
                                  const struct spec_instance *i, const char *name)
{
    auto_free char *own = keys_instance_config(env, i->name, name);
    auto_free char *common = keys_component_config(env, i->manifest->name, name);
    const struct etcd_kv *kv = etcd_kvs_find(have, own);

    if (!kv)
        kv = etcd_kvs_find(have, common);
    return kv ? kv->value : NULL;
}

static int check_key(const struct spec *s, const struct spec_instance *i,
                     const struct config_key *k, const struct etcd_kvs *have, struct err *e)
{
    const char *old = text_in_effect(have, s->name, i, k->name);
    const struct node *now = spec_value(s, i, k->name);
    auto_node struct node *value = NULL;

    if (!old || !now)
        return 0;
    if (manifest_value_parse(&value, k, old, e) < 0) {
        err_drop(e, "what was stored");
        return 0;
    }
    if (strtoll(now->text, NULL, 10) >= strtoll(value->text, NULL, 10))
        return 0;
    auto_node struct node *shown_old = manifest_value_document(k, value);
    auto_node struct node *shown_now = manifest_value_document(k, now);
    return err_set(e, ERR_CONFIG,
                   "%s: %s only grows: %s has %s, and %s would be smaller; to make it smaller, add "
                   "instances with the new value, or begin again without its data (`slipway -e %s "
                   "remove --force --volumes %s`)",
                   i->manifest->name, k->name, i->name, shown_old->text, shown_now->text, s->name,
                   i->name);
}

int grow_check(const struct spec *s, const struct spec_component *c, const struct etcd_kvs *have,
               struct err *e)
{
    const struct manifest *m = c->manifest;

    for (size_t k = 0; k < m->config_count; k++)
        for (int i = 0; m->config[k].grows_only && i < c->count; i++)
            if (has_taken(have, s->name, c->instances[i].name) &&
                check_key(s, &c->instances[i], &m->config[k], have, e) < 0)
                return -1;
    return 0;
}

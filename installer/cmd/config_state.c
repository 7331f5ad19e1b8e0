/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/config.h"
#include "conf/json.h"
#include "model/keys.h"

void config_split(char **key, char **path, const char *word)
{
    const char *dot = strchr(word, '.');

    *key = dot ? mem_strndup(word, (size_t)(dot - word)) : mem_strdup(word);
    *path = mem_strdup(dot ? dot + 1 : "");
}

char *config_target_text(const struct config_target *t)
{
    return t->instance ? mem_printf("%s/%s", t->component, t->instance) : mem_strdup(t->component);
}

/* ---- targets -----------------------------------------------------------------------------------
 */

static int unknown_target(const struct config_state *s, const char *word, struct err *e)
{
    auto_strv struct strv names = {0};
    const struct node *components = node_get(s->document, "components"), *c;
    const char *near;

    node_for_each (c, components) {
        strv_add(&names, c->key);
    }
    near = strv_nearest(&names, word);
    return err_set(e, ERR_NOTFOUND, "%s has no component or instance %s%s%s%s", s->x->env, word,
                   near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

/* "osd-12" of component "osd" with at least 12 instances. */
static bool is_instance_of(const struct node *component, const char *name)
{
    size_t len = strlen(component->key);
    int64_t count = node_get_int(component, "instances", 0);
    auto_free char *text = NULL;
    long n;

    if (strncmp(name, component->key, len) != 0 || name[len] != '-')
        return false;
    n = strtol(name + len + 1, NULL, 10);
    text = mem_printf("%s-%ld", component->key, n);
    return n >= 1 && n <= count && strcmp(text, name) == 0;
}

static int find_target(struct config_state *s, const char *word, struct err *e)
{
    const char *slash = strchr(word, '/');
    auto_free char *component = slash ? mem_strndup(word, (size_t)(slash - word)) : NULL;
    auto_free char *instance = NULL;
    const struct node *components = node_get(s->document, "components"), *c;

    if (slash && strspn(slash + 1, "0123456789") == strlen(slash + 1))
        instance = mem_printf("%s-%s", component, slash + 1);
    else if (slash)
        instance = mem_strdup(slash + 1);
    node_for_each (c, components) {
        if (slash ? strcmp(c->key, component) == 0 && is_instance_of(c, instance)
                  : is_instance_of(c, word)) {
            s->target.component = mem_strdup(c->key);
            s->target.instance = mem_strdup(slash ? instance : word);
            break;
        }
        if (!slash && strcmp(c->key, word) == 0) {
            s->target.component = mem_strdup(c->key);
            break;
        }
    }
    if (!s->target.component)
        return unknown_target(s, word, e);
    s->manifest = catalog_find(s->x->catalog, s->target.component);
    return s->manifest ? 0
                       : err_set(e, ERR_NOTFOUND,
                                 "component %s is not in the catalog; name its folder with "
                                 "--catalog",
                                 s->target.component);
}

int config_aim(struct config_state *s, const char *word, struct err *e)
{
    free(s->target.component);
    free(s->target.instance);
    s->target = (struct config_target){0};
    return find_target(s, word, e);
}

/* ---- the document ------------------------------------------------------------------------------
 */

int config_open(struct config_state *s, struct cmd_context *x, const char *word, struct err *e)
{
    auto_free char *key = keys_spec(x->env);
    struct etcd_kv kv = {0};
    int r;

    *s = (struct config_state){.x = x};
    if (etcd_get(&kv, x->etcd, key, e) < 0)
        return e->code == ERR_NOTFOUND
                   ? err_set(e, ERR_NOTFOUND, "%s has no document yet; `slipway up` first", x->env)
                   : -1;
    r = json_parse(&s->root, key, kv.value, kv.value_len, e);
    s->mod_revision = kv.mod_revision;
    etcd_kv_clear(&kv);
    if (r < 0)
        return -1;
    if (!node_get(s->root, "document"))
        return err_set(e, ERR_REMOTE, "%s holds no document", key);
    s->document = node_copy(node_get(s->root, "document"));
    edits_find(&s->edits, x->env, s->document, x->catalog);
    if (edits_read(&s->edited, x->etcd, &s->edits, e) < 0)
        return -1;
    edits_adopt(s->document, &s->edits, &s->edited, s->mod_revision);
    return word ? find_target(s, word, e) : 0;
}

void config_close(struct config_state *s)
{
    free(s->target.component);
    free(s->target.instance);
    node_free(s->root);
    node_free(s->document);
    node_free(s->changes);
    spec_free(s->spec);
    edits_clear(&s->edits);
    etcd_kvs_clear(&s->edited);
    *s = (struct config_state){0};
}

static struct node *child(struct node *map, const char *key)
{
    struct node *n = node_get(map, key);

    return n && n->kind == NODE_KIND_MAP ? n : node_set(map, key, node_new_map());
}

struct node *config_map(struct config_state *s)
{
    struct node *component = child(child(s->document, "components"), s->target.component);

    if (!s->target.instance)
        return child(component, "config");
    return child(child(child(component, "overrides"), s->target.instance), "config");
}

void config_unset(struct config_state *s, const char *key)
{
    struct node *component = child(child(s->document, "components"), s->target.component);
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

/* ---- what follows from it ----------------------------------------------------------------------
 */

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
    int r = etcd_range(&have, s->x->etcd, prefix, e);

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

int config_plan(struct config_state *s, struct problems *p, struct err *e)
{
    const struct spec_component *c;
    const char *env = s->x->env;

    spec_free(s->spec);
    node_free(s->changes);
    s->changes = node_new_list();
    /* As the stored document has it, or `plan` would see a change of the order. */
    node_sort(config_map(s));
    s->spec = spec_decode(s->document, s->x->catalog, p);
    if (!s->spec)
        return err_set(e, ERR_CONFIG, "%zu problem%s; nothing was changed", p->count,
                       p->count == 1 ? "" : "s");
    c = spec_component(s->spec, s->target.component);
    if (compare(s, c->config, keys_component_config(env, c->manifest->name, ""), NULL, e) < 0)
        return -1;
    for (int i = 0; i < c->count; i++)
        if (compare(s, c->instances[i].overrides,
                    keys_instance_config(env, c->instances[i].name, ""), c->instances[i].name,
                    e) < 0)
            return -1;
    return 0;
}

int config_plan_or_say(struct config_state *s, struct err *e)
{
    struct problems p;
    int r;

    problems_init(&p, NULL); /* places in a document that nobody wrote */
    r = config_plan(s, &p, e);
    if (r < 0 && p.count == 1) /* one problem is the error itself */
        err_set(e, ERR_CONFIG, "%s", p.lines.items[0]);
    for (size_t i = 0; r < 0 && p.count > 1 && i < p.lines.count; i++)
        log_error("%s", p.lines.items[i]);
    problems_clear(&p);
    return r;
}

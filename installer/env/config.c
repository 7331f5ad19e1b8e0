/* SPDX-License-Identifier: MIT */
/* config get, set, delete and list as data. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/yaml.h"
#include "env/config.h"
#include "env/document.h"
#include "model/keys.h"

enum { PATH_PARTS_MAX = 32 };

static int unknown_key(const struct manifest *m, const char *key, struct err *e)
{
    auto_strv struct strv names = {0};
    auto_free char *hint = NULL;

    for (size_t i = 0; i < m->config_count; i++)
        strv_add(&names, m->config[i].name);
    hint = strv_hint(&names, key);
    return err_set(e, ERR_CONFIG, "%s has no configuration key %s%s", m->name, key, hint);
}

/* ---- get ---- */

/* Override of the instance, else the component's value; ERR_NOTFOUND when unset. */
static int read_value(char **out, const struct config_state *s, const char *key, struct err *e)
{
    const char *env = s->env->name;
    auto_free char *common = keys_component_config(env, s->target.component, key);
    auto_free char *own =
        s->target.instance ? keys_instance_config(env, s->target.instance, key) : NULL;
    struct etcd_kv kv = {0};
    int r = own ? etcd_get(&kv, s->env->etcd, own, e) : -1;

    if (r < 0 && (!own || e->code == ERR_NOTFOUND))
        r = etcd_get(&kv, s->env->etcd, common, e);
    if (r == 0)
        *out = mem_strdup(kv.value);
    etcd_kv_clear(&kv);
    if (r < 0 && e->code == ERR_NOTFOUND)
        return err_set(e, ERR_NOTFOUND, "%s: %s is not set", s->target.component, key);
    return r;
}

int env_config_get(struct node **out, struct env *env, const char *target, const char *word,
                   struct err *e)
{
    struct config_state s;
    auto_free char *key = NULL, *path = NULL, *text = NULL;
    auto_node struct node *value = NULL;
    const struct config_key *k = NULL;
    const struct node *n;
    int r = config_open(&s, env, target, e);

    config_split(&key, &path, word);
    if (r == 0 && !(k = manifest_config(s.manifest, key)))
        r = unknown_key(s.manifest, key, e);
    if (r == 0)
        r = read_value(&text, &s, key, e);
    if (r == 0)
        r = manifest_value_parse(&value, k, text, e);
    n = r == 0 && *path ? node_find(value, path) : value;
    if (r == 0 && !n)
        r = err_set(e, ERR_NOTFOUND, "%s: %s has no %s", s.target.component, key, path);
    if (r == 0)
        *out = node_copy(n);
    config_close(&s);
    return r;
}

/* ---- set, delete ---- */

/* A text stays as it is typed; everything else is read as YAML, like the document itself. */
static int parse_value(struct node **out, const struct config_key *k, const char *path,
                       const char *text, struct err *e)
{
    if (!*path && manifest_type_is_text(k->type)) {
        *out = node_new_string(text);
        return 0;
    }
    return yaml_parse(out, k->name, text, strlen(text), e);
}

/* Sets (value) or removes (NULL) "a.b" below the map; takes the value. */
static int change_at(struct node *map, const char *path, struct node *value, struct err *e)
{
    const char *dot = strchr(path, '.');
    auto_free char *head = dot ? mem_strndup(path, (size_t)(dot - path)) : mem_strdup(path);
    struct node *next = node_get(map, head);

    if (!dot && value) {
        node_set(map, head, value);
        return 0;
    }
    if (!dot)
        return node_remove(map, head) ? 0 : err_set(e, ERR_NOTFOUND, "%s is not set", head);
    if (!next && !value)
        return err_set(e, ERR_NOTFOUND, "%s is not set", head);
    if (!next)
        next = node_set(map, head, node_new_map());
    if (next->kind != NODE_KIND_MAP) {
        node_free(value);
        return err_set(e, ERR_CONFIG, "%s is not a map", head);
    }
    return change_at(next, dot + 1, value, e);
}

/* The whole value in effect becomes part of the document before one entry of it changes. */
static int fill_in(struct config_state *s, const struct config_key *k, struct err *e)
{
    auto_free char *text = NULL;
    struct node *value = NULL, *map = config_map(s);

    if (node_get(map, k->name))
        return 0;
    if (read_value(&text, s, k->name, e) < 0) {
        if (e->code != ERR_NOTFOUND)
            return -1;
        node_set(map, k->name, node_new_map());
        return 0;
    }
    if (manifest_value_parse(&value, k, text, e) < 0)
        return -1;
    node_set(map, k->name, value);
    return 0;
}

/* As deep as a document may be. */
static int check_path(const char *word, struct err *e)
{
    size_t dots = 0;

    for (const char *at = word; (at = strchr(at, '.')); at++)
        dots++;
    return dots < PATH_PARTS_MAX
               ? 0
               : err_set(e, ERR_USAGE, "%.40s...: more than %d parts", word, PATH_PARTS_MAX);
}

static int change(struct config_state *s, const char *word, const char *text, struct err *e)
{
    auto_free char *key = NULL, *path = NULL;
    const struct config_key *k;
    struct node *value = NULL;

    if (check_path(word, e) < 0)
        return -1;
    config_split(&key, &path, word);
    k = manifest_config(s->manifest, key);
    if (!k)
        return unknown_key(s->manifest, key, e);
    if (*path && fill_in(s, k, e) < 0)
        return -1;
    if (text && parse_value(&value, k, path, text, e) < 0)
        return -1;
    if (change_at(config_map(s), word, value, e) < 0)
        return err_wrap(e, "%s", s->target.component);
    return 0;
}

static int check_expected(struct config_state *s, const struct config_commit *o, struct err *e)
{
    char tag[CONFIG_TAG_LEN];

    config_tag(tag, s);
    s->overtaken = o->expected && strcmp(o->expected, tag) != 0;
    return s->overtaken ? err_set(e, ERR_CONFLICT,
                                  "%s was changed by someone else meanwhile; look at it again",
                                  s->target.instance ? s->target.instance : s->target.component)
                        : 0;
}

int env_config_change(struct config_state *s, struct env *env, const char *target,
                      const struct config_edit *edits, const struct config_commit *o, struct err *e)
{
    if (config_begin(s, env, target, o, e) < 0 || check_expected(s, o, e) < 0)
        return -1;
    for (; edits->key; edits++)
        if (change(s, edits->key, edits->value, e) < 0)
            return -1;
    return config_check(s, e) < 0 || config_refuse_loss(s, e) < 0 ? -1 : config_store(s, e);
}

/* ---- list ---- */

static const char *source_of(const char *key, const struct spec_component *c, const char *profile)
{
    if (node_get(c->given, key))
        return "document";
    return profile && node_get(node_get(c->manifest->profiles, profile), key) ? "profile"
                                                                              : "default";
}

static void add_rows(struct node *list, const struct spec *spec, const struct spec_component *c,
                     const struct spec_instance *i)
{
    const struct node *value, *values = i ? i->overrides : c->config;

    node_for_each (value, values) {
        struct node *n = node_add(list, node_new_map());
        auto_free char *text = manifest_value_text(value);
        const struct config_key *k = manifest_config(c->manifest, value->key);
        auto_node struct node *shown = manifest_value_document(k, value);
        auto_free char *shown_text = manifest_value_text(shown);

        node_set_text(n, "component", c->manifest->name);
        if (i)
            node_set_text(n, "instance", i->name);
        node_set_text(n, "key", value->key);
        node_set_text(n, "value", text);
        node_set_text(n, "shown", shown_text);
        node_set_text(n, "source", i ? "instance" : source_of(value->key, c, spec->profile));
        node_set_text(n, "help", k && k->help ? k->help : "");
    }
}

int env_config_list(struct node **rows, struct env *env, const char *target, struct err *e)
{
    struct config_state s;
    auto_node struct node *list = node_new_list();
    int r = config_open(&s, env, target, e);

    if (r == 0)
        r = env_document_decode(&s.spec, env, s.d.document, DOCUMENT_STORED, e);
    for (size_t c = 0; r == 0 && c < s.spec->component_count; c++) {
        const struct spec_component *comp = &s.spec->components[c];

        if (s.target.component && strcmp(comp->manifest->name, s.target.component) != 0)
            continue;
        if (!s.target.instance)
            add_rows(list, s.spec, comp, NULL);
        for (int i = 0; i < comp->count; i++)
            if (!s.target.instance || strcmp(comp->instances[i].name, s.target.instance) == 0)
                add_rows(list, s.spec, comp, &comp->instances[i]);
    }
    if (r == 0)
        *rows = steal(list);
    config_close(&s);
    return r;
}

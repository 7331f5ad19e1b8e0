/* SPDX-License-Identifier: MIT */
#include "agent/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/address.h"
#include "base/mem.h"
#include "base/supervise.h"
#include "conf/json.h"
#include "conf/yaml.h"
#include "model/applied.h"
#include "model/render.h"
#include "model/secret.h"

void config_free(struct config *c)
{
    if (!c)
        return;
    node_free(c->values);
    node_free(c->shared);
    node_free(c->vars);
    free(c->address);
    free(c->data);
    free(c->run);
    strv_clear(&c->argv);
    strv_clear(&c->env);
    free(c);
}

void config_cleanup(struct config **c)
{
    config_free(*c);
}

/* ---- values ---- */

/* Value of NAME in a list of NAME=VALUE, the last one; letters of variables may be upper case. */
static const char *find_set(const struct strv *set, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = set->count; i-- > 0;)
        if (strncasecmp(set->items[i], name, len) == 0 && set->items[i][len] == '=')
            return set->items[i] + len + 1;
    return NULL;
}

/* What a person wrote ("1GiB", "[a, b]") or the manifest's default,
 * through the manifest's checks. */
static int checked(struct node **out, const struct config_key *key, const struct node *value,
                   struct err *e)
{
    struct problems p;

    problems_init(&p, key->name);
    *out = manifest_value(key, value, &p);
    int r = *out ? 0 : problems_result(&p, e);
    problems_clear(&p);
    return r;
}

static int value_from_words(struct node **out, const struct config_key *key, const char *text,
                            struct err *e)
{
    auto_node struct node *value = NULL;

    if (manifest_type_is_text(key->type))
        value = node_new_string(text);
    else if (yaml_parse(&value, key->name, text, strlen(text), e) < 0)
        return -1;
    return checked(out, key, value, e);
}

/* *out stays NULL when the key has no value. */
static int effective(struct node **out, const struct config_key *key, const struct tree *t,
                     const struct options *o, struct err *e)
{
    *out = NULL;
    const char *text = find_set(&o->set, key->name);
    if (!text)
        text = find_set(&o->set_env, key->name);
    if (text)
        return value_from_words(out, key, text, e);
    text = tree_get(t, TREE_PART_OVERRIDE, key->name);
    if (!text)
        text = tree_get(t, TREE_PART_CONFIG, key->name);
    if (text)
        return manifest_value_parse(out, key, text, e);
    if (key->fallback)
        return checked(out, key, key->fallback, e);
    if (key->required)
        return err_set(e, ERR_CONFIG, "a value is required and none is given");
    return 0;
}

static int build_values(struct config *c, const struct manifest *m, const struct tree *t,
                        const struct options *o, struct err *e)
{
    c->values = node_new_map();
    for (size_t i = 0; i < m->config_count; i++) {
        struct node *value = NULL;

        if (effective(&value, &m->config[i], t, o, e) < 0)
            return err_wrap(e, "configuration key %s", m->config[i].name);
        if (value)
            node_set(c->values, m->config[i].name, value);
    }
    for (size_t i = 0; i < o->set.count; i++) {
        auto_free char *name = mem_strndup(o->set.items[i], strcspn(o->set.items[i], "="));

        if (!strchr(o->set.items[i], '=') || !manifest_config(m, name))
            return err_set(e, ERR_USAGE, "--set %s: the component has no such key", name);
    }
    return 0;
}

static int build_shared(struct config *c, const struct manifest *m, const struct tree *t,
                        struct err *e)
{
    c->shared = node_new_map();
    for (size_t i = 0; i < m->shared_count; i++) {
        const struct shared_value *s = &m->shared[i];
        const char *text = tree_get(t, TREE_PART_SHARED, s->name);
        struct node *value = NULL;

        if (!text)
            return err_set(e, ERR_CONFIG, "shared value %s is not stored", s->name);
        if (s->kind == SHARED_KIND_UUID)
            value = node_new_string(text);
        else if (json_parse(&value, s->name, text, strlen(text), e) < 0)
            return err_wrap(e, "shared value %s", s->name);
        node_set(c->shared, s->name, value);
    }
    return 0;
}

static int64_t trailing_number(const char *name)
{
    const char *dash = strrchr(name, '-');
    char *end;
    long n = dash ? strtol(dash + 1, &end, 10) : 0;

    return dash && dash[1] && !*end && n > 0 && n < 1000000 ? n : 1;
}

static int build_meta(struct config *c, const struct tree *t, struct err *e)
{
    auto_node struct node *meta = NULL;
    const char *text = tree_meta(t);

    if (text && json_parse(&meta, "meta", text, strlen(text), e) < 0)
        return err_wrap(e, "instance %s", t->instance);
    const char *component = node_get_text(meta, "component");
    if (component && strcmp(component, t->component) != 0)
        return err_set(e, ERR_CONFIG, "%s is an instance of %s, and this is the component %s",
                       t->instance, component, t->component);
    const char *address = node_get_text(meta, "address");
    c->ordinal = node_get_int(meta, "ordinal", trailing_number(t->instance));
    c->address = address && *address ? mem_strdup(address) : address_own();
    return 0;
}

/* ---- what hooks, templates and the command see ---- */

static void build_vars(struct config *c, const struct manifest *m, const struct tree *t,
                       const char *home)
{
    c->vars = node_new_map();
    for (size_t i = 0; i < m->config_count; i++) {
        const struct node *value = node_get(c->values, m->config[i].name);

        node_set(c->vars, m->config[i].name, value ? node_copy(value) : node_new(NODE_KIND_NULL));
    }
    const struct node *value;
    node_for_each (value, c->shared)
        node_set(c->vars, value->key, node_copy(value));
    node_set_text(c->vars, "env", t->env);
    node_set_text(c->vars, "component", t->component);
    node_set_text(c->vars, "instance", t->instance);
    node_set_int(c->vars, "ordinal", c->ordinal);
    node_set_text(c->vars, "address", c->address);
    if (c->data)
        node_set_text(c->vars, "data", c->data);
    else
        node_set(c->vars, "data", node_new(NODE_KIND_NULL));
    node_set_text(c->vars, "run", c->run);
    node_set_text(c->vars, "home", home);
}

/* Inherited: what is not ours to hand on, or is set again below, stays out. */
static bool is_inherited(const char *variable)
{
    return strncmp(variable, "SLIPWAY_", 8) != 0 && strncmp(variable, "CFG_", 4) != 0 &&
           strncmp(variable, "SHARED_", 7) != 0;
}

static void add_values(struct strv *env, const char *prefix, const struct node *map)
{
    const struct node *value;

    node_for_each (value, map) {
        auto_free char *text = manifest_value_text(value);

        strv_addf(env, "%s%s=%s", prefix, value->key, text);
    }
}

static int add_run_env(struct config *c, const struct manifest *m, struct err *e)
{
    if (!m->run.env)
        return 0;
    auto_node struct node *expanded = NULL;
    if (render_expand(&expanded, m->run.env, c->vars, e) < 0)
        return err_wrap(e, "run.env");
    add_values(&c->env, "", expanded);
    return 0;
}

static int build_env(struct config *c, const struct manifest *m, const struct tree *t,
                     const struct options *o, struct err *e)
{
    for (char **v = environ; v && *v; v++)
        if (is_inherited(*v))
            strv_add(&c->env, *v);
    strv_addf(&c->env, "SLIPWAY_ENV=%s", t->env);
    strv_addf(&c->env, "SLIPWAY_COMPONENT=%s", t->component);
    strv_addf(&c->env, "SLIPWAY_INSTANCE=%s", t->instance);
    strv_addf(&c->env, "SLIPWAY_ORDINAL=%lld", (long long)c->ordinal);
    strv_addf(&c->env, "SLIPWAY_ADDRESS=%s", c->address);
    strv_addf(&c->env, "SLIPWAY_RUN=%s", c->run);
    strv_addf(&c->env, "SLIPWAY_HOME=%s", o->component_dir);
    if (c->data)
        strv_addf(&c->env, "SLIPWAY_DATA=%s", c->data);
    add_values(&c->env, "CFG_", c->values);
    add_values(&c->env, "SHARED_", c->shared);
    return add_run_env(c, m, e);
}

int config_build(struct config **out, const struct manifest *m, const struct tree *t,
                 const struct options *o, struct err *e)
{
    *out = NULL;
    auto_config struct config *c = mem_alloc(sizeof(*c));
    const char *data = o->data_dir ? o->data_dir : m->data_root;
    c->data = mem_strdup(data);
    c->run = mem_strdup(o->run_dir);
    if (build_meta(c, t, e) < 0 || build_values(c, m, t, o, e) < 0 || build_shared(c, m, t, e) < 0)
        return -1;
    build_vars(c, m, t, o->component_dir);
    if (build_env(c, m, t, o, e) < 0)
        return -1;
    if (m->run.command && render_args(&c->argv, m->run.command, c->vars, e) < 0)
        return err_wrap(e, "run.command");
    *out = steal(c);
    return 0;
}

/* ---- changes ---- */

static void note(struct config_diff *out, enum apply_kind kind, const char *what, const char *name)
{
    if (!out->effective || kind < out->kind) /* restart < reload < live in the enumeration */
        out->kind = kind;
    out->effective = true;
    out->live |= kind == APPLY_KIND_LIVE;
    strv_addf(&out->names, "%s%s", what, name);
}

static bool differ(const struct node *a, const struct node *b)
{
    return a && b ? !node_equal(a, b) : a != b;
}

static bool texts_differ(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) != 0 : a != b;
}

static bool lists_differ(const struct strv *a, const struct strv *b)
{
    if (a->count != b->count)
        return true;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return true;
    return false;
}

static void compare_secret(struct config_diff *out, const char *name, struct config_version old,
                           struct config_version now)
{
    if (texts_differ(tree_get(old.tree, TREE_PART_SECRET, name),
                     tree_get(now.tree, TREE_PART_SECRET, name)))
        note(out, APPLY_KIND_RESTART, "secret:", name);
}

/* sshd reads its files at each login: they are written, and nobody else has to be told. */
static void compare_ssh(struct config_diff *out, const char *name, struct config_version old,
                        struct config_version now)
{
    bool live = out->live;

    if (!texts_differ(tree_get(old.tree, TREE_PART_SECRET, name),
                      tree_get(now.tree, TREE_PART_SECRET, name)))
        return;
    note(out, APPLY_KIND_LIVE, "secret:", name);
    out->live = live;
}

void config_compare(struct config_diff *out, const struct manifest *m, struct config_version old,
                    struct config_version now)
{
    *out = (struct config_diff){.kind = APPLY_KIND_LIVE};
    char before[65], after[65];
    tree_hash(before, old.tree);
    tree_hash(after, now.tree);
    out->any = strcmp(before, after) != 0;
    for (size_t i = 0; i < m->config_count; i++) {
        const char *name = m->config[i].name;

        if (differ(node_get(old.config->values, name), node_get(now.config->values, name)))
            note(out, m->config[i].apply, "", name);
    }
    /* Which instances there are is news for a running daemon, no reason to end it. */
    for (size_t i = 0; i < m->shared_count; i++) {
        const char *name = m->shared[i].name;

        if (differ(node_get(old.config->shared, name), node_get(now.config->shared, name)))
            note(out, APPLY_KIND_LIVE, "shared:", name);
    }
    for (size_t i = 0; i < m->secret_count; i++)
        compare_secret(out, m->secrets[i].name, old, now);
    compare_ssh(out, SECRET_SSH_HOST_KEY, old, now);
    compare_ssh(out, SECRET_SSH_AUTHORIZED, old, now);
    compare_ssh(out, SECRET_SSH_DEPLOY, old, now);
    if (texts_differ(old.config->address, now.config->address))
        note(out, APPLY_KIND_RESTART, "", "address");
    if (lists_differ(&old.config->argv, &now.config->argv))
        note(out, APPLY_KIND_RESTART, "", "command");
}

void config_start_hash(char out[65], const struct manifest *m, struct config_version s)
{
    auto_node struct node *start = node_new_map();

    for (size_t i = 0; i < m->config_count; i++) {
        const struct node *value = node_get(s.config->values, m->config[i].name);
        auto_free char *name = mem_printf("key %s", m->config[i].name);
        auto_free char *text = value ? json_text(value) : NULL;

        if (text && m->config[i].apply != APPLY_KIND_LIVE)
            node_set_text(start, name, text);
    }
    for (size_t i = 0; i < m->secret_count; i++) {
        auto_free char *name = mem_printf("secret %s", m->secrets[i].name);
        const char *text = tree_get(s.tree, TREE_PART_SECRET, m->secrets[i].name);

        node_set_text(start, name, text ? text : "");
    }
    for (size_t i = 0; i < s.config->argv.count; i++) {
        auto_free char *name = mem_printf("argument %zu", i);

        node_set_text(start, name, s.config->argv.items[i]);
    }
    node_set_text(start, "address", s.config->address);
    applied_hash_map(out, start);
}

void config_diff_clear(struct config_diff *c)
{
    strv_clear(&c->names);
    *c = (struct config_diff){0};
}

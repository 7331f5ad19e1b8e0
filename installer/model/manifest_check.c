/* SPDX-License-Identifier: MIT */
#include "model/manifest_check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/units.h"

/* The innermost of root.a.b that is there, for the place of a problem. */
static const struct node *at(const struct node *root, const char *a, const char *b)
{
    const struct node *outer = node_get(root, a);
    const struct node *inner = b ? node_get(outer, b) : NULL;

    return inner ? inner : outer ? outer : root;
}

static void check_instances(struct manifest *m, const struct node *root, struct problems *p)
{
    const struct node *map = node_get(root, "instances");

    /* The default maximum is 1; a larger default or minimum alone says what is meant. */
    if (!node_get(map, "min") && m->instances_default < m->instances_min)
        m->instances_min = m->instances_default;
    if (!node_get(map, "max") && m->instances_max < m->instances_default)
        m->instances_max = m->instances_default;
    if (m->instances_min > m->instances_default || m->instances_default > m->instances_max)
        problems_add(p, at(root, "instances", NULL),
                     "instances: min %d, default %d, max %d are not in this order",
                     m->instances_min, m->instances_default, m->instances_max);
    bool allowed = m->instances_allowed.count == 0;
    for (size_t i = 0; i < m->instances_allowed.count; i++) {
        auto_node struct node *n = node_new_string(m->instances_allowed.items[i]);
        int64_t count = 0;

        if (!node_to_int(n, &count) || count < m->instances_min || count > m->instances_max)
            problems_add(p, at(root, "instances", "allowed"),
                         "allowed: \"%s\" is not a count between min %d and max %d", n->text,
                         m->instances_min, m->instances_max);
        allowed = allowed || count == m->instances_default;
    }
    if (!allowed)
        problems_add(p, at(root, "instances", NULL), "instances: the default %d is not allowed",
                     m->instances_default);
}

static void check_data(struct manifest *m, const struct node *root, struct problems *p)
{
    if (!m->data_root) {
        if (m->data_volumes > 0 || m->data_volumes_max > 0)
            problems_add(p, at(root, "data", NULL), "data: volumes need a root");
        return;
    }
    if (m->data_volumes == 0)
        m->data_volumes = 1;
    if (m->data_volumes_max == 0)
        m->data_volumes_max = m->data_volumes;
    if (m->data_volumes_max < m->data_volumes)
        problems_add(p, at(root, "data", "max_volumes"), "max_volumes: less than volumes");
    if (strcmp(m->data_root, "/") == 0)
        problems_add(p, at(root, "data", "root"), "root: cannot be the whole file system");
}

/* Reads `min` or `max`: an amount of the key's own type; of lists and maps a number of items. */
static bool read_limit(int64_t *out, const struct config_key *key, const struct node *n,
                       struct problems *p)
{
    if (!n)
        return false;
    bool good;
    switch (key->type) {
    case VALUE_TYPE_SIZE:
        good = n->text && units_parse_size(out, n->text);
        break;
    case VALUE_TYPE_DURATION:
        good = n->text && units_parse_duration(out, n->text);
        break;
    case VALUE_TYPE_INT:
    case VALUE_TYPE_FLOAT:
    case VALUE_TYPE_LIST:
    case VALUE_TYPE_MAP:
        good = node_to_int(n, out);
        break;
    default:
        problems_add_key(p, n, "%s: %s has no range", key->name, manifest_type_name(key->type));
        return false;
    }
    if (!good)
        problems_add(p, n, "%s: expected %s", n->key,
                     key->type == VALUE_TYPE_SIZE || key->type == VALUE_TYPE_DURATION
                         ? manifest_type_name(key->type)
                         : "a whole number");
    return good;
}

static void check_key(struct raw_config *raw, const struct node *n, struct problems *p)
{
    struct config_key *key = &raw->key;

    if (n->kind != NODE_KIND_MAP || !node_get(n, "type"))
        return;
    key->has_min = read_limit(&key->min, key, raw->min, p);
    key->has_max = read_limit(&key->max, key, raw->max, p);
    if (key->has_min && key->has_max && key->min > key->max)
        problems_add(p, n, "%s: min is larger than max", key->name);
    bool is_enum = key->type == VALUE_TYPE_ENUM;
    if (is_enum != (key->values.count > 0))
        problems_add(p, n, "%s: %s", key->name,
                     is_enum ? "an enum needs its values" : "only an enum has values");
    if (key->grows_only && key->type != VALUE_TYPE_INT && key->type != VALUE_TYPE_SIZE &&
        key->type != VALUE_TYPE_DURATION)
        problems_add(p, node_get(n, "grows_only"),
                     "grows_only: %s is neither int, size nor duration", key->name);
    if (key->required && key->fallback)
        problems_add(p, node_get(n, "default"), "%s: required, so a default is never used",
                     key->name);
    if (key->fallback)
        node_free(manifest_value(key, key->fallback, p));
}

/* What two keys that are compared must have in common. */
static void check_less_than(const struct manifest_raw *raw, const struct config_key *key,
                            const struct node *n, struct problems *p)
{
    const struct node *at = node_get(n, "less_than");
    const struct config_key *other = NULL;

    if (!key->less_than)
        return;
    for (size_t i = 0; i < raw->config_count; i++)
        if (strcmp(raw->config[i].key.name, key->less_than) == 0)
            other = &raw->config[i].key;
    if (key->type != VALUE_TYPE_SIZE && key->type != VALUE_TYPE_DURATION &&
        key->type != VALUE_TYPE_INT)
        problems_add(p, at, "less_than: %s has no order", manifest_type_name(key->type));
    else if (strcmp(key->less_than, CONFIG_MEMORY) == 0 && !other && key->type != VALUE_TYPE_SIZE)
        problems_add(p, at, "less_than: memory is a size, and %s is not one", key->name);
    else if (!other && strcmp(key->less_than, CONFIG_MEMORY) != 0)
        problems_add(p, at, "less_than: no configuration key is named %s", key->less_than);
    else if (other && other->type != key->type)
        problems_add(p, at, "less_than: %s is of another type", other->name);
}

static const char *const built_in[] = {"env",     "component", "instance", "ordinal",
                                       "address", "data",      "run"};

static void check_config(struct manifest_raw *raw, const struct node *root, struct problems *p)
{
    const struct node *map = node_get(root, "config");

    for (size_t i = 0; i < raw->config_count; i++) {
        check_key(&raw->config[i], map->items[i], p);
        check_less_than(raw, &raw->config[i].key, map->items[i], p);
        for (size_t b = 0; b < ARRAY_LEN(built_in); b++)
            if (strcmp(raw->config[i].key.name, built_in[b]) == 0)
                problems_add_key(p, map->items[i], "config: \"%s\" is a variable of every template",
                                 built_in[b]);
    }
}

static void check_profile(const struct manifest_raw *raw, const struct node *profile,
                          struct problems *p)
{
    auto_strv struct strv known = {0};

    for (size_t i = 0; i < raw->config_count; i++)
        strv_add(&known, raw->config[i].key.name);
    if (!schema_word_is_valid(SCHEMA_WORD_NAME, profile->key))
        problems_add_key(p, profile, "profile name \"%s\": expected %s", profile->key,
                         schema_word_help(SCHEMA_WORD_NAME));
    if (profile->kind != NODE_KIND_MAP) {
        problems_add(p, profile, "%s: expected a map of configuration keys", profile->key);
        return;
    }
    const struct node *value;
    node_for_each (value, profile) {
        size_t i = 0;

        while (i < raw->config_count && strcmp(raw->config[i].key.name, value->key) != 0)
            i++;
        if (i == raw->config_count)
            schema_unknown(p, value, "configuration key", &known);
        else
            node_free(manifest_value(&raw->config[i].key, value, p));
    }
}

static void check_shared(struct manifest_raw *raw, const struct node *root, struct problems *p)
{
    const struct node *map = node_get(root, "shared");

    for (size_t i = 0; i < raw->shared_count; i++) {
        struct raw_shared *s = &raw->shared[i];
        const struct node *place = map->items[i];
        int ways = (s->generated != 0) + (s->instances != NULL) + (s->count != NULL);

        if (ways != 1)
            problems_add_key(p, place, "%s: expected exactly one of generate, instances, count",
                             s->value.name);
        s->value.kind = s->instances ? SHARED_KIND_INSTANCES
                        : s->count   ? SHARED_KIND_COUNT
                                     : SHARED_KIND_UUID;
        s->value.component = mem_strdup(s->instances ? s->instances : s->count);
        bool taken = false;
        for (size_t b = 0; b < ARRAY_LEN(built_in); b++)
            taken = taken || strcmp(s->value.name, built_in[b]) == 0;
        for (size_t k = 0; k < raw->config_count; k++)
            taken = taken || strcmp(s->value.name, raw->config[k].key.name) == 0;
        if (taken)
            problems_add_key(p, place, "shared: \"%s\" is a configuration key or a variable too",
                             s->value.name);
    }
}

static bool is_live_map(const struct manifest_raw *raw, const char *name)
{
    for (size_t i = 0; i < raw->config_count; i++)
        if (strcmp(raw->config[i].key.name, name) == 0)
            return raw->config[i].key.type == VALUE_TYPE_MAP &&
                   raw->config[i].key.apply == APPLY_KIND_LIVE;
    return false;
}

/* What the commands of volumes and pools change of it, and the hooks that bring it into effect. */
static void check_role(const struct manifest_raw *raw, const struct node *root, struct problems *p)
{
    static const struct {
        enum manifest_role role;
        const char *name, *maps[3], *hooks[3];
    } rows[] = {
        {MANIFEST_ROLE_STORAGE, "storage", {"volumes", "pools"}, {"apply", "pool"}},
        {MANIFEST_ROLE_DRIVER, "driver", {"volumes"}, {"apply", "io"}},
    };
    const struct node *place = at(root, "role", NULL);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].role != raw->m.role)
            continue;
        for (const char *const *map = rows[i].maps; *map; map++)
            if (!is_live_map(raw, *map))
                problems_add(p, place, "role: %s needs \"%s: {type: map, apply: live}\" in config",
                             rows[i].name, *map);
        for (const char *const *name = rows[i].hooks; raw->m.dir && *name; name++) {
            auto_free char *hook = manifest_hook(&raw->m, *name);

            if (!hook)
                problems_add(p, place, "role: %s needs the hook %s", rows[i].name, *name);
        }
    }
}

/* A key of another component is checked by nobody but etcd: that manifest is not at hand. */
static void check_edits(const struct manifest_raw *raw, const struct node *root, struct problems *p)
{
    const struct strv *edits = &raw->m.edits;

    for (size_t i = 0; i < edits->count; i++) {
        const char *slash = strchr(edits->items[i], '/');
        auto_free char *component =
            slash ? mem_strndup(edits->items[i], (size_t)(slash - edits->items[i])) : NULL;
        bool good = schema_word_is_valid(SCHEMA_WORD_KEY, slash ? slash + 1 : edits->items[i]) &&
                    (!slash || schema_word_is_valid(SCHEMA_WORD_NAME, component));

        if (!good || (!slash && !is_live_map(raw, edits->items[i])))
            problems_add(p, at(root, "edits", NULL),
                         "edits: \"%s\" is neither a live map of config nor COMPONENT/KEY",
                         edits->items[i]);
    }
}

static int format_by_suffix(const char *name)
{
    static const struct {
        const char *suffix;
        enum template_format format;
    } rows[] = {
        {".conf", TEMPLATE_FORMAT_INI},  {".ini", TEMPLATE_FORMAT_INI},
        {".env", TEMPLATE_FORMAT_ENV},   {".json", TEMPLATE_FORMAT_JSON},
        {".yaml", TEMPLATE_FORMAT_YAML}, {".yml", TEMPLATE_FORMAT_YAML},
        {".args", TEMPLATE_FORMAT_ARGS},
    };
    const char *suffix = strrchr(name, '.');

    for (size_t i = 0; suffix && i < ARRAY_LEN(rows); i++)
        if (strcmp(suffix, rows[i].suffix) == 0)
            return (int)rows[i].format;
    return -1;
}

static void check_templates(struct manifest_raw *raw, const struct node *root, struct problems *p)
{
    const struct node *map = node_get(root, "templates");

    for (size_t i = 0; i < raw->template_count; i++) {
        struct raw_template *t = &raw->templates[i];
        int format = t->format ? t->format - 1 : format_by_suffix(t->decl.name);

        if (format < 0)
            problems_add_key(p, map->items[i],
                             "%s: its suffix says no format; give format: ini, env, json, yaml or "
                             "args",
                             t->decl.name);
        else
            t->decl.format = (enum template_format)format;
        if (!raw->m.dir)
            continue;
        auto_free char *path = mem_printf("%s/templates/%s", raw->m.dir, t->decl.name);
        if (!fs_exists(path))
            problems_add_key(p, map->items[i], "%s is not in templates/", t->decl.name);
    }
}

static void check_hooks(const struct manifest *m, struct problems *p)
{
    static const char *const hooks[] = {"arguments", "prepare", "once",  "ready", "apply",
                                        "health",    "drain",   "check", "io",    "pool"};
    auto_free char *dir = fs_join(m->dir, "hooks");
    auto_strv struct strv known = {0}, files = {0};
    struct err e;

    for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
        auto_free char *path = mem_printf("%s/hooks/%s", m->dir, hooks[i]);

        if (fs_exists(path) && !fs_is_executable(path))
            problems_add(p, NULL, "hooks/%s is not executable: chmod +x", hooks[i]);
        strv_add(&known, hooks[i]);
    }
    /* What hooks share may lie beside them, with a suffix or not executable. */
    if (fs_exists(dir) && fs_list(&files, dir, &e) < 0)
        problems_add(p, NULL, "%s", e.msg);
    for (size_t i = 0; i < files.count; i++) {
        auto_free char *path = fs_join(dir, files.items[i]);
        auto_free char *hint = strv_hint(&known, files.items[i]);

        if (!strv_has(&known, files.items[i]) && !strchr(files.items[i], '.') &&
            fs_is_executable(path))
            problems_add(p, NULL, "hooks/%s: there is no hook of this name%s", files.items[i],
                         hint);
    }
}

static void check_ports(const struct manifest *m, const struct node *root, struct problems *p)
{
    const struct node *map = node_get(root, "ports");

    for (size_t i = 1; i < m->port_count; i++)
        for (size_t k = 0; k < i; k++)
            if (m->ports[i].port == m->ports[k].port && m->ports[i].port != 0)
                problems_add(p, map->items[i], "%s: port %d is that of %s too", m->ports[i].name,
                             m->ports[i].port, m->ports[k].name);
}

/* Who says by a hook that it is ready needs no time for it. */
static void check_ready(struct manifest *m, const struct node *root)
{
    auto_free char *hook = manifest_hook(m, "ready");

    if (hook && !node_get(node_get(root, "ready"), "settle"))
        m->ready_settle_ms = 0;
}

static bool is_switch(const struct manifest_raw *raw, const char *name)
{
    for (size_t k = 0; name && k < raw->config_count; k++)
        if (raw->config[k].key.name && strcmp(raw->config[k].key.name, name) == 0)
            return raw->config[k].key.type == VALUE_TYPE_BOOL;
    return false;
}

static void check_only_with(const struct manifest_raw *raw, const struct node *root,
                            struct problems *p)
{
    static const char *const rights[] = {"capabilities", "devices", "device_rules", "plugin_dir"};
    const struct node *item;

    node_for_each (item, raw->m.run.only_with) {
        bool known = strv_has(&raw->m.run.capabilities, item->key), single = known;

        for (size_t i = 0; i < ARRAY_LEN(rights); i++)
            known = known || strcmp(item->key, rights[i]) == 0;
        if (!known)
            problems_add_key(p, item,
                             "only_with: %s is not one of capabilities, devices, device_rules, "
                             "plugin_dir, or a capability of run",
                             item->key);
        else if (!single && !node_find(node_get(root, "run"), item->key))
            problems_add_key(p, item, "only_with: run has no %s", item->key);
        if (!is_switch(raw, item->text))
            problems_add(p, item, "only_with: \"%s\" is not a key of config that is true or false",
                         item->text ? item->text : "");
    }
}

void manifest_check(struct manifest_raw *raw, const struct node *root, struct problems *p)
{
    struct manifest *m = &raw->m;

    /* In an image, and wherever an agent runs one component, the folder is called "component". */
    if (m->name && m->dir && strcmp(fs_basename(m->dir), m->name) != 0 &&
        strcmp(fs_basename(m->dir), "component") != 0)
        problems_add(p, at(root, "name", NULL), "name: \"%s\", but the folder is named \"%s\"",
                     m->name, fs_basename(m->dir));
    if (m->name && strv_has(&m->requires, m->name))
        problems_add(p, at(root, "requires", NULL), "requires: %s cannot require itself", m->name);
    check_instances(m, root, p);
    check_data(m, root, p);
    manifest_check_run(m, root, p);
    check_ready(m, root);
    check_config(raw, root, p);
    check_only_with(raw, root, p);
    const struct node *profile;
    node_for_each (profile, m->profiles) {
        check_profile(raw, profile, p);
    }
    check_shared(raw, root, p);
    check_edits(raw, root, p);
    check_role(raw, root, p);
    check_templates(raw, root, p);
    manifest_check_render(raw, root, p);
    check_ports(m, root, p);
    if (m->dir)
        check_hooks(m, p);
}

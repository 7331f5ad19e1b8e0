/* SPDX-License-Identifier: MIT */
/* config get, set, delete, list. */
#include "cmd/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/out.h"
#include "conf/json.h"
#include "conf/yaml.h"
#include "model/keys.h"

enum { TEXT_MAX = 8 << 20, PATH_PARTS_MAX = 32 };

struct change_options {
    bool dry_run;
    int64_t lock_wait_ms;
};

static const struct opt_spec change_specs[] = {
    {"dry-run", 'n', OPT_FLAG, NULL, "check and show, change nothing",
     offsetof(struct change_options, dry_run)},
    {"lock-wait", 0, OPT_DURATION, "TIME", "wait for another run that holds the lock",
     offsetof(struct change_options, lock_wait_ms)},
    {0},
};

static const struct opt_example set_examples[] = {
    {"slipway config set ceph-osd memory_target 2GiB", "for every OSD"},
    {"slipway config set ceph-osd/2 memory_target 3GiB", "for one of them"},
    {"slipway config set ceph-mon live.debug_mon 5/5", "one entry of a map"},
    {0},
};

static const struct opt_example get_examples[] = {
    {"slipway config get ceph-osd memory_target", "the value in effect"},
    {"slipway config get ceph-osd-2 live.debug_osd", "one entry of a map, for one instance"},
    {0},
};

static int unknown_key(const struct manifest *m, const char *key, struct err *e)
{
    auto_strv struct strv names = {0};
    const char *near;

    for (size_t i = 0; i < m->config_count; i++)
        strv_add(&names, m->config[i].name);
    near = strv_nearest(&names, key);
    return err_set(e, ERR_CONFIG, "%s has no configuration key %s%s%s%s", m->name, key,
                   near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

/* ---- get ---------------------------------------------------------------------------------------
 */

/* Override of the instance, else the component's value; ERR_NOTFOUND when unset. */
static int read_value(char **out, const struct config_state *s, const char *key, struct err *e)
{
    const char *env = s->x->env;
    auto_free char *common = keys_component_config(env, s->target.component, key);
    auto_free char *own =
        s->target.instance ? keys_instance_config(env, s->target.instance, key) : NULL;
    struct etcd_kv kv = {0};
    int r = own ? etcd_get(&kv, s->x->etcd, own, e) : -1;

    if (r < 0 && (!own || e->code == ERR_NOTFOUND))
        r = etcd_get(&kv, s->x->etcd, common, e);
    if (r == 0)
        *out = mem_strdup(kv.value);
    etcd_kv_clear(&kv);
    if (r < 0 && e->code == ERR_NOTFOUND)
        return err_set(e, ERR_NOTFOUND, "%s: %s is not set", s->target.component, key);
    return r;
}

static int print_value(const struct config_state *s, const struct config_key *k, const char *path,
                       const char *text, struct err *e)
{
    auto_node struct node *value = NULL;
    const struct node *n;

    if (manifest_value_parse(&value, k, text, e) < 0)
        return -1;
    n = *path ? node_find(value, path) : value;
    if (!n)
        return err_set(e, ERR_NOTFOUND, "%s: %s has no %s", s->target.component, k->name, path);
    if (s->x->json || n->kind == NODE_KIND_LIST || n->kind == NODE_KIND_MAP)
        out_json(n);
    else
        puts(n->text);
    return 0;
}

static int run_get(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    struct config_state s;
    auto_free char *key = NULL, *path = NULL, *text = NULL;
    const struct config_key *k = NULL;
    int r = config_open(&s, x, operands->items[0], e);

    (void)options;
    config_split(&key, &path, operands->items[1]);
    if (r == 0 && !(k = manifest_config(s.manifest, key)))
        r = unknown_key(s.manifest, key, e);
    if (r == 0)
        r = read_value(&text, &s, key, e);
    if (r == 0)
        r = print_value(&s, k, path, text, e);
    config_close(&s);
    return r;
}

/* ---- set, delete -------------------------------------------------------------------------------
 */

/* A text stays as it is typed; everything else is read as YAML, like the document itself. */
static int parse_value(struct node **out, const struct config_key *k, const char *path,
                       const char *text, struct err *e)
{
    if (!*path && (k->type == VALUE_TYPE_STRING || k->type == VALUE_TYPE_ENUM)) {
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
        return err_set(e, ERR_CONFIG, "%s is no map", head);
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
    return config_plan_or_say(s, e);
}

static int run_change(struct cmd_context *x, const struct change_options *o,
                      const struct strv *operands, const char *text, struct err *e)
{
    struct config_state s;
    struct config_commit c = {.what = text ? "config set" : "config delete",
                              .dry_run = o->dry_run,
                              .lock_wait_ms = o->lock_wait_ms};
    int r = config_open(&s, x, operands->items[0], e);

    if (r == 0)
        r = change(&s, operands->items[1], text, e);
    if (r == 0)
        r = config_commit(&s, &c, e);
    config_close(&s);
    return r;
}

/* "KEY VALUE" or "KEY=VALUE": keys have no "=". */
static int run_set(struct cmd_context *x, void *o, const struct strv *operands, struct err *e)
{
    const char *word = operands->items[1], *equal = strchr(word, '=');
    auto_strv struct strv divided = {0};

    if (operands->count == 3)
        return run_change(x, o, operands, operands->items[2], e);
    if (!equal)
        return err_set(e, ERR_USAGE, "config set needs a value for %s", word);
    strv_add(&divided, operands->items[0]);
    strv_take(&divided, mem_strndup(word, (size_t)(equal - word)));
    return run_change(x, o, &divided, equal + 1, e);
}

static int run_delete(struct cmd_context *x, void *o, const struct strv *operands, struct err *e)
{
    return run_change(x, o, operands, NULL, e);
}

/* ---- list --------------------------------------------------------------------------------------
 */

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

static void print_rows(const struct cmd_context *x, const struct node *list)
{
    static const char *const heads[] = {"TARGET", "KEY", "FROM", "VALUE", NULL};
    struct out_table *t = out_table_new(heads);
    auto_buf struct buf b = {0};
    const struct node *n;

    buf_init(&b, TEXT_MAX);
    node_for_each (n, list) {
        const char *instance = node_get_text(n, "instance"), *from = node_get_text(n, "source");

        out_table_add(t, instance ? instance : node_get_text(n, "component"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "key"), OUT_PLAIN);
        out_table_add(t, from, OUT_DIM);
        out_table_add(t, node_get_text(n, "shown"),
                      strcmp(from, "default") == 0 ? OUT_PLAIN : OUT_BOLD);
    }
    out_table_format(&b, t, out_has_color(x, stdout));
    out_table_free(t);
    out_buf(&b);
}

static int run_list(struct cmd_context *x, void *options, const struct strv *operands,
                    struct err *e)
{
    struct config_state s;
    auto_node struct node *list = node_new_list();
    struct problems p;
    int r = config_open(&s, x, operands->count ? operands->items[0] : NULL, e);

    (void)options;
    problems_init(&p, "the document in etcd");
    if (r == 0 && !(s.spec = spec_decode(s.document, x->catalog, &p)))
        r = problems_result(&p, e);
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
    problems_clear(&p);
    if (r == 0 && x->json)
        out_json(list);
    else if (r == 0)
        print_rows(x, list);
    config_close(&s);
    return r;
}

/* ---- records -----------------------------------------------------------------------------------
 */

#define CONFIG_NEEDS (CMD_NEEDS_NAME | CMD_NEEDS_CATALOG | CMD_NEEDS_ETCD)

const struct cmd cmd_config_get = {
    .help = {.name = "config get",
             .summary = "print the value of a key that is in effect",
             .args = "COMPONENT[/INSTANCE] KEY[.PATH]",
             .details = "Sizes are printed in bytes, durations in milliseconds. Exit status 1 when "
                        "the key is not set.",
             .examples = get_examples,
             .group = "Configuration"},
    .needs = CONFIG_NEEDS,
    .min_operands = 2,
    .max_operands = 2,
    .run = run_get,
};

const struct cmd cmd_config_set = {
    .help = {.name = "config set",
             .summary = "change a key: checked, recorded, and in effect at once",
             .args = "COMPONENT[/INSTANCE] KEY[.PATH] VALUE | KEY=VALUE",
             .details = "The document and the key change together. The instances apply it as the "
                        "component says: live, by a reload, or by a restart of the daemon.",
             .options = change_specs,
             .examples = set_examples,
             .group = "Configuration"},
    .options_size = sizeof(struct change_options),
    .needs = CONFIG_NEEDS,
    .min_operands = 2,
    .max_operands = 3,
    .run = run_set,
};

const struct cmd cmd_config_delete = {
    .help = {.name = "config delete",
             .summary = "take a key out of the document; its default counts again",
             .args = "COMPONENT[/INSTANCE] KEY[.PATH]",
             .options = change_specs,
             .group = "Configuration"},
    .options_size = sizeof(struct change_options),
    .needs = CONFIG_NEEDS,
    .min_operands = 2,
    .max_operands = 2,
    .run = run_delete,
};

const struct cmd cmd_config_list = {
    .help = {.name = "config list",
             .summary = "every key with its value and where it comes from",
             .args = "[COMPONENT[/INSTANCE]]",
             .details =
                 "FROM is the instance, the document, its profile, or the component's default. "
                 "With --json a value is what etcd holds, bytes and milliseconds, and what "
                 "a document would say is beside it.",
             .group = "Configuration"},
    .needs = CONFIG_NEEDS,
    .max_operands = 1,
    .run = run_list,
};

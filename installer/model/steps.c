/* SPDX-License-Identifier: MIT */
#include "model/steps.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/yaml.h"
#include "model/steps_check.h"
#include "model/steps_table.h"

enum { STEPS_MAX = 1000, TEXT_MAX = 1 << 20, TITLE_MAX = 60 };

/* ---- the text of a file ---- */

static bool is_template(const struct step *s)
{
    return s->template || s->template_file;
}

static void take_text(struct step *s, char *text, size_t len)
{
    s->text = text;
    s->text_len = len;
}

/* What is in the file that the step names. */
static void read_text(struct step *s, const char *name, const char *dir, const struct node *at,
                      struct problems *p)
{
    auto_free char *path = *name == '/' || !dir ? mem_strdup(name) : fs_join(dir, name);
    size_t len = 0;
    char *text;
    struct err e = {0};

    if (!dir)
        err_set(&e, ERR_CONFIG, "no files can be named here");
    else if (fs_read(&text, is_template(s) ? NULL : &len, path, TEXT_MAX, &e) == 0)
        take_text(s, text, is_template(s) ? strlen(text) : len);
    if (e.code != ERR_NONE)
        problems_add(p, at, "%s: %s", at->key, e.msg);
}

static void load_text(struct step *s, const char *dir, const struct node *at, struct problems *p)
{
    const char *given = s->content ? s->content : s->template;

    if (given)
        take_text(s, mem_strdup(given), strlen(given));
    else if (s->content_file)
        read_text(s, s->content_file, dir, node_get(at, "content_file"), p);
    else if (s->template_file)
        read_text(s, s->template_file, dir, node_get(at, "template_file"), p);
}

/* With values that stand for any target's: what is wrong with a template is so on all of them. */
static void try_template(const struct steps *all, const struct step *s, const struct node *at,
                         struct problems *p)
{
    auto_node struct node *target = steps_target("x", "x", "x", "x");
    auto_free char *text = NULL;
    const struct node *place = node_get(at, s->template ? "template" : "template_file");
    struct err e = {0};
    size_t len;

    if (!s->text || !is_template(s) || steps_input(&text, &len, all, s, target, &e) == 0)
        return;
    if (s->template)
        problems_add(p, place, "template: %s", e.msg);
    else
        problems_add(p, place, "template_file: %s: %s", s->template_file, e.msg);
}

/* ---- one step ---- */

static char *cut(char *text)
{
    auto_free char *owned = text;

    return strlen(owned) <= TITLE_MAX ? steal(owned) : mem_printf("%.*s...", TITLE_MAX - 3, owned);
}

static char *title_of(const struct step *s)
{
    auto_strv struct strv words = {0};
    const struct node *word;
    auto_free char *what = NULL;

    if (s->kind == STEP_KIND_COMMAND && s->run && s->run->kind == NODE_KIND_LIST)
        node_for_each (word, s->run)
            strv_add(&words, word->text ? word->text : "");
    what = s->kind == STEP_KIND_PACKAGE ? cut(strv_join(&s->names, ", "))
           : words.count                ? cut(strv_join(&words, " "))
           : s->run && s->run->text     ? cut(mem_strdup(s->run->text))
                                        : mem_strdup(s->path ? s->path : s->name);
    return mem_printf("%s %s", steps_kind(s->kind), what ? what : "?");
}

/* -1: there is none, which is noted. */
static int find_kind(const struct node *item, struct problems *p)
{
    auto_strv struct strv known = {0};
    const struct node *child;
    int found = -1;
    char there[80];

    for (int k = 0; k < STEP_KINDS; k++)
        strv_add(&known, steps_kind(k));
    if (item->kind != NODE_KIND_MAP || item->count == 0) {
        schema_describe(there, item);
        problems_add(p, item, "a step is a map like `file: {...}`, not %s", there);
        return -1;
    }
    node_for_each (child, item) {
        int kind = 0;

        while (kind < STEP_KINDS && strcmp(steps_kind(kind), child->key) != 0)
            kind++;
        if (kind == STEP_KINDS)
            schema_unknown(p, child, "step", &known);
        else if (found >= 0)
            problems_add_key(p, child, "a step is one thing: begin another one, with -, for %s",
                             child->key);
        else
            found = kind;
    }
    return found;
}

static void read_step(struct steps *all, const struct node *item, const char *dir,
                      struct problems *p)
{
    struct step *s = &all->items[all->count];
    int kind = find_kind(item, p);
    const struct node *at;

    if (kind < 0)
        return;
    all->count++;
    at = node_get(item, steps_kind(kind));
    *s = (struct step){.kind = kind, .line = at->key_line};
    if (at->kind == NODE_KIND_NULL)
        problems_add_key(p, at, "%s: it says nothing; `slipway catalog steps` has its keys",
                         at->key);
    else
        schema_decode(s, &steps_tables[kind], at, p);
    s->title = title_of(s);
    if (at->kind != NODE_KIND_MAP)
        return;
    steps_check(all, s, at, p);
    load_text(s, dir, at, p);
    try_template(all, s, at, p);
}

/* ---- the file ---- */

struct steps *steps_decode(const struct node *root, const char *dir, struct problems *p)
{
    struct steps_raw raw = {0};
    struct steps *all = mem_alloc(sizeof(*all));
    const struct node *item;

    schema_decode(&raw, &steps_table, root, p);
    all->vars = raw.vars ? steal(raw.vars) : node_new_map();
    if (node_get(all->vars, "target"))
        problems_add_key(p, node_get(all->vars, "target"),
                         "target: this name is taken, ${target.name} is the target's");
    if (raw.steps && raw.steps->count > STEPS_MAX)
        problems_add(p, raw.steps, "steps: more than %d", STEPS_MAX);
    else if (raw.steps && raw.steps->count == 0)
        problems_add(p, raw.steps, "steps: there are none");
    else if (raw.steps)
        all->items = mem_array(raw.steps->count, sizeof(*all->items));
    if (all->items)
        node_for_each (item, raw.steps)
            read_step(all, item, dir, p);
    schema_clear(&raw, &steps_table);
    if (p->count == 0)
        return all;
    steps_free(all);
    return NULL;
}

struct steps *steps_load(const char *path, const char *dir, struct problems *p)
{
    auto_node struct node *root = yaml_read_input(p, path);
    const char *slash = strrchr(path, '/');
    auto_free char *beside =
        slash ? mem_strndup(path, (size_t)(slash - path) + (slash == path)) : mem_strdup(".");

    return root ? steps_decode(root, dir ? dir : beside, p) : NULL;
}

void steps_free(struct steps *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < all->count; i++) {
        struct step *s = &all->items[i];

        schema_clear(s, &steps_tables[s->kind]);
        free(s->title);
        mem_wipe_free(s->text, s->text_len);
    }
    free(all->items);
    node_free(all->vars);
    free(all);
}

void steps_print_format(struct buf *b)
{
    schema_print(b, &steps_table);
    for (int k = 0; k < STEP_KINDS; k++) {
        buf_printf(b, "\n## %s\n\n", steps_kind(k));
        schema_print(b, &steps_tables[k]);
    }
}

/* Two texts to the table, true and false to whoever writes it. */
static struct node *kind_schema(enum step_kind kind)
{
    struct node *n = schema_json(&steps_tables[kind]), *key;

    node_for_each (key, node_get(n, "properties"))
        if (strcmp(key->key, "secret") == 0 || strcmp(key->key, "enabled") == 0) {
            node_remove(key, "enum");
            node_set_text(key, "type", "boolean");
        }
    return n;
}

struct node *steps_schema(void)
{
    struct node *all = schema_json(&steps_table);
    struct node *list = node_get(node_get(all, "properties"), "steps");
    struct node *item = node_set(list, "items", node_new_map());
    struct node *kinds;

    node_set_text(item, "type", "object");
    node_set_int(item, "minProperties", 1);
    node_set_int(item, "maxProperties", 1);
    node_set_bool(item, "additionalProperties", false);
    kinds = node_set(item, "properties", node_new_map());
    for (int k = 0; k < STEP_KINDS; k++)
        node_set(kinds, steps_kind(k), kind_schema(k));
    return all;
}

/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "controller/api.h"
#include "env/config.h"
#include "env/history.h"

int api_configuration_list(struct controller *c, struct request *q, struct err *e)
{
    struct node *rows = NULL;
    struct env *env = NULL;
    int r = api_open(&env, c, q, 0, e);

    if (r == 0)
        r = env_config_list(&rows, env, query_get(&q->query, "target"), e);
    env_close(env);
    return r < 0 ? -1 : api_list(q, rows, "", e);
}

int api_configuration_value(struct controller *c, struct request *q, struct err *e)
{
    const char *key = query_get(&q->query, "key");
    struct node *value = NULL, *n;
    struct env *env = NULL;
    int r;

    if (!key)
        return err_set(e, ERR_USAGE, "the parameter key is missing");
    r = api_open(&env, c, q, 0, e);
    if (r == 0)
        r = env_config_get(&value, env, q->args[0], key, e);
    env_close(env);
    if (r < 0)
        return -1;
    n = node_new_map();
    node_set(n, "value", value);
    return api_answer(q, n);
}

/* ---- one target ---- */

/* What the manifest says of a key, beside its value. */
static void describe(struct node *row, const struct manifest *m)
{
    static const char *const applies[] = {"restart", "reload", "live"};
    static const char *const types[] = {
        [VALUE_TYPE_STRING] = "string",     [VALUE_TYPE_INT] = "int",
        [VALUE_TYPE_FLOAT] = "float",       [VALUE_TYPE_BOOL] = "bool",
        [VALUE_TYPE_SIZE] = "size",         [VALUE_TYPE_DURATION] = "duration",
        [VALUE_TYPE_SCHEDULE] = "schedule", [VALUE_TYPE_ENUM] = "enum",
        [VALUE_TYPE_LIST] = "list",         [VALUE_TYPE_MAP] = "map",
    };
    const struct config_key *k = manifest_config(m, node_get_text(row, "key"));

    if (!k)
        return;
    node_set_text(row, "apply", applies[k->apply]);
    node_set_text(row, "type", types[k->type]);
    if (k->fallback)
        node_set(row, "default", node_copy(k->fallback));
}

/* Keys without a value, and for an instance those that it has from its component. */
static void add_others(struct node *keys, const struct node *inherited, const struct manifest *m)
{
    for (size_t i = 0; i < m->config_count; i++) {
        const struct node *row, *found = NULL;
        struct node *n;

        node_for_each (row, keys) {
            if (node_text_is(row, "key", m->config[i].name))
                found = row;
        }
        if (found)
            continue;
        node_for_each (row, inherited) {
            if (node_text_is(row, "key", m->config[i].name) && !node_get(row, "instance"))
                found = row;
        }
        n = node_add(keys, found ? node_copy(found) : node_new_map());
        if (found)
            continue;
        node_set_text(n, "component", m->name);
        node_set_text(n, "key", m->config[i].name);
        node_set_text(n, "value", "");
        node_set_text(n, "shown", "");
        node_set_text(n, "source", "default");
        node_set_text(n, "help", m->config[i].help ? m->config[i].help : "");
    }
}

static struct node *configuration_of(struct config_state *s, const struct node *rows,
                                     const struct node *inherited)
{
    struct node *n = node_new_map(), *keys;
    const struct node *row;
    struct node *key;

    node_set_text(n, "target", s->target.instance ? s->target.instance : s->target.component);
    node_set_text(n, "component", s->target.component);
    if (s->target.instance)
        node_set_text(n, "instance", s->target.instance);
    node_set(n, "given", node_copy(config_map(s)));
    keys = node_set(n, "keys", node_new_list());
    node_for_each (row, rows) {
        /* The list of a component has the overrides of its instances too. */
        if (s->target.instance || !node_get(row, "instance"))
            node_add(keys, node_copy(row));
    }
    add_others(keys, inherited, s->manifest);
    node_for_each (key, keys) {
        describe(key, s->manifest);
    }
    node_set(n, "schema", manifest_schema(s->manifest));
    return n;
}

int api_configuration(struct controller *c, struct request *q, struct err *e)
{
    auto_node struct node *rows = NULL, *inherited = NULL, *answer = NULL;
    struct config_state s = {0};
    struct env *env = NULL;
    char tag[CONFIG_TAG_LEN] = "";
    int r = api_open(&env, c, q, 0, e);

    if (r == 0)
        r = config_open(&s, env, q->args[0], e);
    if (r == 0)
        r = env_config_list(&rows, env, q->args[0], e);
    if (r == 0)
        r = env_config_list(&inherited, env, s.target.component, e);
    if (r == 0) {
        config_tag(tag, &s);
        answer = configuration_of(&s, rows, inherited);
    }
    config_close(&s);
    env_close(env);
    if (r < 0)
        return -1;
    /* The tag is of what can be edited here; the answer has more, which changes beside it. */
    reply_tag(q, tag);
    q->reply.status = 0;
    return api_answer(q, steal(answer));
}

/* ---- edits ---- */

struct edit_list {
    struct config_edit *items; /* ends with a row of NULL */
    struct strv values;
};

/* A value as somebody would type it: a text as it is, everything else is JSON, which is YAML. */
static char *typed(const struct node *n)
{
    return n->text ? mem_strdup(n->text) : json_text(n);
}

static void edits_clear_list(struct edit_list *l)
{
    free(l->items);
    strv_clear(&l->values);
}

static int edits_of(struct edit_list *l, const struct node *body, struct err *e)
{
    const struct node *set = node_get(body, "set"), *unset = node_get(body, "unset"), *n;
    size_t count = (set ? set->count : 0) + (unset ? unset->count : 0), i = 0;

    l->items = mem_array(count + 1, sizeof(*l->items));
    if (count == 0)
        return err_set(e, ERR_USAGE, "an edit needs `set` or `unset`");
    node_for_each (n, set) {
        strv_take(&l->values, typed(n));
    }
    node_for_each (n, set) {
        l->items[i] = (struct config_edit){.key = n->key, .value = l->values.items[i]};
        i++;
    }
    node_for_each (n, unset) {
        l->items[i++].key = n->text;
    }
    return 0;
}

static int answer_changes(struct request *q, const struct env *env, struct config_state *s, int r,
                          const struct err *e)
{
    char tag[CONFIG_TAG_LEN];
    struct node *n, *list, *row;

    if (r < 0 && s->overtaken) {
        reply_problem(q, 412, "precondition", NULL, e->msg);
        return 0;
    }
    if (r < 0 && env && env->problems.count) {
        reply_error(q, e, &env->problems);
        return 0;
    }
    if (r < 0)
        return -1;
    n = node_new_map();
    list = node_set(n, "changes", node_copy(s->changes));
    node_for_each (row, list) {
        api_key_text(row, manifest_config(s->manifest, node_get_text(row, "name")));
    }
    config_tag(tag, s);
    reply_tag(q, tag);
    q->reply.status = 200; /* If-None-Match means nothing here */
    return api_answer(q, n);
}

static int change(struct controller *c, struct request *q, const struct config_edit *edits,
                  struct config_commit *o, struct err *e)
{
    struct config_state s = {0};
    struct env *env = NULL;
    int r = api_open(&env, c, q, 0, e);

    o->lock_wait_ms = CONFIG_LOCK_WAIT_MS;
    if (r == 0)
        r = env_config_change(&s, env, q->args[0], edits, o, e);
    r = answer_changes(q, env, &s, r, e);
    config_close(&s);
    env_close(env);
    return r;
}

static int edit(struct controller *c, struct request *q, struct config_commit *o, struct err *e)
{
    struct edit_list l = {0};
    int r = edits_of(&l, q->body, e);

    o->what = node_get(q->body, "set") ? "config set" : "config delete";
    if (r == 0)
        r = change(c, q, l.items, o, e);
    edits_clear_list(&l);
    return r;
}

int api_configuration_plan(struct controller *c, struct request *q, struct err *e)
{
    struct config_commit o = {.dry_run = true};

    return edit(c, q, &o, e);
}

int api_configuration_change(struct controller *c, struct request *q, struct err *e)
{
    const char *match = headers_get(&q->headers, "If-Match");
    struct config_commit o = {0};
    auto_free char *tag = NULL;

    if (!match) {
        reply_problem(q, 428, "precondition", NULL,
                      "a change needs If-Match with the ETag of what it changes");
        return 0;
    }
    if (!headers_tag(&tag, match)) {
        reply_problem(q, 412, "precondition", NULL, "If-Match is not the ETag of anything");
        return 0;
    }
    o.expected = tag;
    return edit(c, q, &o, e);
}

/* ---- back to what it was ---- */

/* What an edit has to say so that a key has that value of etcd again; NULL: it had none. Owned. */
static char *old_value(const struct manifest *m, const char *name, const char *old)
{
    const struct config_key *k = manifest_config(m, name);
    auto_node struct node *value = NULL, *shown = NULL;
    struct err e;

    if (!old || !k)
        return NULL;
    if (manifest_value_parse(&value, k, old, &e) < 0) {
        err_drop(&e, "an old value");
        return mem_strdup(old);
    }
    shown = manifest_value_document(k, value);
    return manifest_value_text(shown);
}

static int collect(struct edit_list *l, struct config_state *s, const struct node *history,
                   const char *time, struct err *e)
{
    auto_strv struct strv seen = {0};
    const struct node *n;
    size_t count = 0;

    l->items = mem_array(history->count + 1, sizeof(*l->items));
    node_for_each (n, history) {
        const char *name = node_get_text(n, "name");
        char *value;

        if (!node_text_is(n, "time", time) || !name || strv_has(&seen, name))
            continue;
        strv_add(&seen, name);
        value = old_value(s->manifest, name, node_get_text(n, "old"));
        if (!value && !node_get(config_map(s), name))
            continue;
        l->items[count].key =
            manifest_config(s->manifest, name) ? manifest_config(s->manifest, name)->name : NULL;
        if (!l->items[count].key) {
            free(value);
            return err_set(e, ERR_NOTFOUND, "%s has no key %s any more", s->target.component, name);
        }
        if (value) {
            strv_take(&l->values, value);
            l->items[count].value = l->values.items[l->values.count - 1];
        }
        count++;
    }
    return count ? 0
                 : err_set(e, ERR_NOTFOUND,
                           "the history of this has no change at %.60s that can "
                           "be taken back",
                           time);
}

int api_configuration_restore(struct controller *c, struct request *q, struct err *e)
{
    struct config_commit o = {.what = "config restore", .dry_run = api_flag(q, "dryRun")};
    auto_node struct node *history = NULL;
    auto_free char *target = NULL;
    struct config_state s = {0};
    struct edit_list l = {0};
    struct env *env = NULL;
    int r = api_open(&env, c, q, 0, e);

    if (r == 0)
        r = config_open(&s, env, q->args[0], e);
    if (r == 0) {
        target = config_target_text(&s.target);
        r = env_history(&history, env, target, NULL, e);
    }
    if (r == 0)
        r = collect(&l, &s, history, api_text(q, "time"), e);
    /* The keys' names live as long as the catalog does. */
    if (r == 0) {
        o.lock_wait_ms = CONFIG_LOCK_WAIT_MS;
        config_close(&s);
        r = env_config_change(&s, env, target, l.items, &o, e);
        r = answer_changes(q, env, &s, r, e);
    }
    edits_clear_list(&l);
    config_close(&s);
    env_close(env);
    return r;
}

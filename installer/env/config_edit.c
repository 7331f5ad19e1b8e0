/* SPDX-License-Identifier: MIT */
/* A target's whole configuration, replaced by a text that somebody took his time with. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/yaml.h"
#include "env/config.h"

int config_edit_open(struct config_edit_state *c, struct env *env, const char *target,
                     struct err *e)
{
    *c = (struct config_edit_state){0};
    if (config_open(&c->s, env, target, e) < 0)
        return -1;
    c->before = node_copy(config_map(&c->s));
    return 0;
}

static void replace(struct config_state *s, const struct node *config)
{
    struct node *map = config_map(s);
    const struct node *n;

    while (map->count)
        node_remove(map, map->items[0]->key);
    node_for_each (n, config) {
        node_set(map, n->key, node_copy(n));
    }
}

/* Not only comments and blanks. */
static bool says_something(const char *text)
{
    while (*text) {
        text += strspn(text, " \t\r\n");
        if (*text && *text != '#')
            return true;
        text += strcspn(text, "\n");
    }
    return false;
}

int config_edit_try(struct config_edit_state *c, const char *text, struct problems *p,
                    struct err *e)
{
    auto_node struct node *root = NULL;

    /* A text without a key is a target that has none of its own. */
    if (says_something(text) && yaml_parse(&root, "text", text, strlen(text), e) < 0) {
        problems_add_err(p, e);
        return -1;
    }
    if (root && root->kind != NODE_KIND_NULL && root->kind != NODE_KIND_MAP) {
        problems_add(p, NULL, "the text must be a map of keys");
        return err_set(e, ERR_CONFIG, "the text must be a map of keys");
    }
    replace(&c->s, root && root->kind == NODE_KIND_MAP ? root : NULL);
    if (config_plan(&c->s, p, e) < 0)
        return -1;
    if (config_refuse_loss(&c->s, e) == 0)
        return 0;
    problems_add_err(p, e);
    return -1;
}

/* The keys that are not as they were, with commas. Owned. */
static char *changed_keys(const struct node *before, const struct node *now)
{
    auto_strv struct strv names = {0};
    const struct node *n;

    node_for_each (n, before) {
        if (!node_equal(n, node_get(now, n->key)))
            strv_add(&names, n->key);
    }
    node_for_each (n, now) {
        if (!node_get(before, n->key))
            strv_add(&names, n->key);
    }
    return strv_join(&names, ", ");
}

int config_edit_store(struct config_edit_state *c, const struct config_commit *o, struct err *e)
{
    struct env *env = c->s.env;
    auto_free char *target = config_target_text(&c->s.target);
    auto_node struct node *edited = node_copy(config_map(&c->s));

    config_close(&c->s);
    if (config_begin(&c->s, env, target, o, e) < 0)
        return -1;
    if (!node_equal(c->before, config_map(&c->s))) {
        auto_free char *keys = changed_keys(c->before, config_map(&c->s));

        return err_set(e, ERR_CONFLICT,
                       "%s was changed by someone else while it was edited (%.200s); nothing of "
                       "this edit is stored: `slipway config edit %s` begins with what there is "
                       "now",
                       target, keys, target);
    }
    replace(&c->s, edited);
    if (config_check(&c->s, e) < 0 || config_refuse_loss(&c->s, e) < 0)
        return -1;
    return config_store(&c->s, e);
}

void config_edit_close(struct config_edit_state *c)
{
    node_free(c->before);
    config_close(&c->s);
    *c = (struct config_edit_state){0};
}

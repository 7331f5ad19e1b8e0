/* SPDX-License-Identifier: MIT */
/* What a command configures: a component, or one instance of it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "env/config.h"

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

static int unknown_target(const struct config_state *s, const char *word, struct err *e)
{
    auto_strv struct strv names = {0};
    const struct node *components = node_get(s->d.document, "components"), *c;
    auto_free char *hint = NULL;

    node_for_each (c, components) {
        strv_add(&names, c->key);
    }
    hint = strv_hint(&names, word);
    return err_set(e, ERR_NOTFOUND, "%s has no component or instance %s%s", s->env->name, word,
                   hint);
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
    const struct node *components = node_get(s->d.document, "components"), *c;

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
    s->manifest = catalog_find(s->env->catalog, s->target.component);
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

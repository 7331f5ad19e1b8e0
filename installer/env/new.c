/* SPDX-License-Identifier: MIT */
#include "env/new.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/yaml.h"
#include "env/document.h"

/* Those of the built-in demo: a storage cluster. */
int env_new_defaults(struct strv *out, const struct env *env, struct err *e)
{
    auto_node struct node *demo = NULL;
    const struct node *c, *components;

    if (yaml_load(&demo, env->o.paths->demo, e) < 0)
        return -1;
    components = node_get(demo, "components");
    node_for_each (c, components) {
        strv_addf(out, "%s=%d", c->key, (int)node_get_int(c, "instances", 1));
    }
    return 0;
}

static int build(struct node **out, const struct env *env, const struct env_new *w, struct err *e)
{
    auto_node struct node *root = node_new_map();
    struct node *components;

    node_set_int(root, "slipway", 1);
    node_set_text(root, "name", w->name);
    node_set_text(root, "profile", w->profile);
    components = node_set(root, "components", node_new_map());
    node_set(components, "etcd", node_new_map());
    for (size_t i = 0; i < w->components->count; i++) {
        const char *word = w->components->items[i], *equal = strchr(word, '=');
        auto_free char *name = equal ? mem_strndup(word, (size_t)(equal - word)) : mem_strdup(word);
        const struct manifest *m = catalog_find(env->catalog, name);
        struct node *map, *count;
        char *end;
        long n = equal ? strtol(equal + 1, &end, 10) : m ? m->instances_default : 1;

        if (equal && (*end || end == equal + 1 || n < 0 || n > 100000))
            return err_set(e, ERR_USAGE, "%s: %s is not a number of instances", name, equal + 1);
        map = node_new_map();
        count = node_new_number(n);
        node_set(map, "instances", count);
        node_set(components, name, map);
    }
    if (node_get(components, "etcd")->count == 0)
        node_set_int(node_get(components, "etcd"), "instances", 1);
    *out = steal(root);
    return 0;
}

int env_new(struct node **out, struct env *env, const struct env_new *w, struct err *e)
{
    auto_node struct node *document = NULL;
    struct spec *s = NULL;

    if (build(&document, env, w, e) < 0 ||
        env_document_decode(&s, env, document, "the new document", e) < 0)
        return -1;
    spec_free(s);
    *out = steal(document);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* What a component renders is looked at when its manifest is loaded: in a container it would be too
 * late. */
#include <stdlib.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/yaml.h"
#include "model/manifest_check.h"
#include "model/render.h"

/* All names, without values. Owned. */
static struct node *variables(const struct manifest_raw *raw)
{
    static const char *const own[] = {"env",     "component", "instance", "ordinal",
                                      "address", "data",      "run",      "home"};
    struct node *vars = node_new_map();

    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        node_set(vars, own[i], node_new(NODE_KIND_NULL));
    for (size_t i = 0; i < raw->config_count; i++)
        node_set(vars, raw->config[i].key.name, node_new(NODE_KIND_NULL));
    for (size_t i = 0; i < raw->shared_count; i++)
        node_set(vars, raw->shared[i].value.name, node_new(NODE_KIND_NULL));
    return vars;
}

static void check_tree(const struct node *tree, const struct node *vars, const char *what,
                       struct problems *p)
{
    struct err e;

    if (tree && render_check(tree, vars, &e) < 0)
        problems_add(p, tree, "%s: %s", what, e.msg);
}

void manifest_check_render(const struct manifest_raw *raw, const struct node *root,
                           struct problems *p)
{
    const struct node *run = node_get(root, "run"), *map = node_get(root, "templates");
    auto_node struct node *vars = variables(raw);

    check_tree(node_get(run, "command"), vars, "command", p);
    check_tree(node_get(run, "env"), vars, "env", p);
    for (size_t i = 0; raw->m.dir && i < raw->template_count; i++) {
        auto_free char *path =
            mem_printf("%s/templates/%s", raw->m.dir, raw->templates[i].decl.name);
        auto_node struct node *tree = NULL;
        struct err e;

        if (fs_exists(path) && (yaml_load(&tree, path, &e) < 0 || render_check(tree, vars, &e) < 0))
            problems_add_key(p, map->items[i], "template %s: %s", raw->templates[i].decl.name,
                             e.msg);
    }
}

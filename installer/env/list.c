/* SPDX-License-Identifier: MIT */
#include "env/list.h"

#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "env/key.h"
#include "plan/object.h"
#include "plan/observed.h"

/* One environment: how many of its containers run. */
static struct node *add_row(struct node *list, const char *name, const char *uuid,
                            const struct node *containers)
{
    struct node *n = node_add(list, node_new_map());
    int64_t count = 0, running = 0;
    const struct node *c;

    node_for_each (c, containers) {
        const char *label = object_label(c, LABEL_ENV);

        if (!label || strcmp(label, uuid) != 0 || object_is_aside(c) || !object_has_own_name(c))
            continue;
        count++;
        running += strcmp(observed_state(c), "running") == 0;
    }
    node_set_text(n, "environment", name);
    node_set_text(n, "uuid", uuid);
    node_set_int(n, "instances", count);
    node_set_int(n, "running", running);
    node_set_text(n, "state",
                  count == 0         ? "down"
                  : running == count ? "running"
                  : running == 0     ? "stopped"
                                     : "partly running");
    return n;
}

static bool is_listed(const struct node *list, const char *uuid)
{
    const struct node *n;

    node_for_each (n, list) {
        if (strcmp(node_get_text(n, "uuid"), uuid) == 0)
            return true;
    }
    return false;
}

/* Those whose key is in the home. A key that cannot be read is named, and the others are listed. */
static void add_ours(struct node *list, const struct env *env, const struct node *containers)
{
    auto_strv struct strv names = {0};

    env_names(&names, env->o.home);
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *folder = fs_join(env->o.home, names.items[i]);
        auto_free char *path = fs_join(folder, "key");
        struct env_key key;
        struct node *n;
        struct err e;

        if (secret_load_key(&key, folder, &e) < 0) {
            log_warn("environment %s: %s", names.items[i], e.msg);
            continue;
        }
        n = add_row(list, names.items[i], key.uuid, containers);
        node_set_bool(n, "key", true);
        node_set_text(n, "key_path", path);
        explicit_bzero(&key, sizeof(key));
    }
}

int env_list(struct node *list, struct env *env, struct err *e)
{
    auto_node struct node *containers = NULL, *paths = NULL;
    const struct node *c;

    if (engine_container_list(&containers, env->engine, LABEL_ENV, e) < 0 ||
        env_key_paths(&paths, env, e) < 0)
        return -1;
    add_ours(list, env, containers);
    node_for_each (c, containers) {
        const char *uuid = object_label(c, LABEL_ENV), *name = object_label(c, LABEL_NAME);
        struct node *n;

        if (!uuid || !object_has_own_name(c) || is_listed(list, uuid))
            continue;
        n = add_row(list, name ? name : "?", uuid, containers);
        node_set_bool(n, "key", false);
        if (node_get_text(paths, uuid))
            node_set_text(n, "key_path", node_get_text(paths, uuid));
    }
    return 0;
}

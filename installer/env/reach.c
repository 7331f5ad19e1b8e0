/* SPDX-License-Identifier: MIT */
#include "env/reach.h"

#include <string.h>

#include "base/confine.h"
#include "base/mem.h"
#include "plan/body.h"
#include "plan/connect.h"
#include "plan/grants.h"

enum { ETCD_MS = 5000 };

/* Docker tells where a link leads, too. */
static bool is_engine_socket(const char *source)
{
    return strcmp(source, BODY_ENGINE_SOCKET) == 0 || strcmp(source, "/run/docker.sock") == 0;
}

static void set_host(struct node *reach, const struct node *inspected)
{
    struct node *list = node_set(reach, "host", node_new_list());
    const struct node *mounts = node_get(inspected, "Mounts"), *m;

    node_for_each (m, mounts) {
        const char *source = node_get_text(m, "Source"), *at = node_get_text(m, "Destination");
        struct node *row;

        if (!node_text_is(m, "Type", "bind") || !source || !at)
            continue;
        row = node_add(list, node_new_map());
        node_set_text(row, "path", source);
        node_set_text(row, "at", at);
        node_set_bool(row, "read_only", !node_get_bool(m, "RW", true));
        if (strcmp(source, BODY_PLUGINS) == 0)
            node_set_bool(reach, "docker_plugins", true);
        if (is_engine_socket(source))
            node_set_bool(reach, "docker", true);
    }
}

/* The value of one variable of the container that may be shown, or NULL. */
static const char *variable(const struct node *inspected, const char *name)
{
    const struct node *env = node_find(inspected, "Config.Env"), *v;
    size_t len = strlen(name);

    node_for_each (v, env) {
        if (v->text && strncmp(v->text, name, len) == 0 && v->text[len] == '=')
            return v->text + len + 1;
    }
    return NULL;
}

static void set_published(struct node *reach, const struct node *ports)
{
    struct node *list = node_set(reach, "published", node_new_list());
    const struct node *p, *at;

    node_for_each (p, ports) {
        node_for_each (at, node_get(p, "at")) {
            node_add_text(list, at->text);
        }
    }
}

static void set_networks(struct node *reach, const struct node *networks)
{
    struct node *list = node_set(reach, "networks", node_new_list());
    const struct node *w;

    node_for_each (w, networks) {
        node_add_text(list, node_get_text(w, "name"));
    }
}

/* As etcd itself has it: what was granted by hand counts too. */
static void set_etcd(struct node *reach, struct env *env, const char *component,
                     const char *instance)
{
    auto_free char *common = grants_component_role(component);
    const char *const roles[] = {instance, common};
    auto_strv struct strv read = {0}, write = {0};
    struct node *etcd, *list;
    struct etcd *c = NULL;
    struct err e;
    int r = connect_etcd(&c, env->containers, env->name, &env->key, &e);

    if (r == 0)
        etcd_set_until(c, until_within(env->until, ETCD_MS));
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(roles); i++)
        r = etcd_role_get(&read, &write, c, roles[i], &e);
    etcd_close(c);
    if (r < 0) {
        err_drop(&e, "the rights of an instance in etcd");
        return;
    }
    etcd = node_set(reach, "etcd", node_new_map());
    list = node_set(etcd, "read", node_new_list());
    for (size_t i = 0; i < read.count; i++)
        node_add_text(list, read.items[i]);
    list = node_set(etcd, "write", node_new_list());
    for (size_t i = 0; i < write.count; i++)
        node_add_text(list, write.items[i]);
}

void reach_set(struct node *shown, struct env *env, const struct node *inspected,
               const char *component, const char *instance)
{
    struct node *reach = node_set(shown, "reach", node_new_map()), *list;
    const struct node *added = node_get(shown, "capabilities"), *c;
    const char *kinds = variable(inspected, CONFINE_KINDS_ENV);

    node_set_bool(reach, "docker_plugins", false);
    node_set_bool(reach, "docker", false);
    node_set_bool(reach, "environment_key", strcmp(component, MANIFEST_CONTROLLER) == 0);
    set_host(reach, inspected);
    if (kinds)
        node_set_text(reach, "mounts", kinds);
    node_set(reach, "devices", node_copy(node_get(shown, "devices")));
    list = node_set(reach, "capabilities", node_new_list());
    node_for_each (c, added) {
        if (!body_is_base_capability(c->text))
            node_add_text(list, c->text);
    }
    set_published(reach, node_get(shown, "ports"));
    set_networks(reach, node_get(shown, "networks"));
    set_etcd(reach, env, component, instance);
}

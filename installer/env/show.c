/* SPDX-License-Identifier: MIT */
#include "env/show.h"

#include <string.h>

#include "base/mem.h"
#include "env/instances.h"
#include "env/reach.h"
#include "plan/object.h"

/* Of Docker's answer only what is named here: neither variables nor arguments, where others keep
 * passwords. */

static void set_text(struct node *n, const char *key, const char *text)
{
    if (text && *text)
        node_set_text(n, key, text);
}

/* "0001-01-01T00:00:00Z" is Docker's never. */
static void set_time(struct node *n, const char *key, const struct node *state, const char *name)
{
    const char *text = node_get_text(state, name);

    if (text && strncmp(text, "0001-", 5) != 0)
        node_set_text(n, key, text);
}

static void set_container(struct node *n, const struct node *seen)
{
    const struct node *state = node_get(seen, "State"), *config = node_get(seen, "Config");
    const struct node *host = node_get(seen, "HostConfig");
    struct node *c = node_set(n, "container", node_new_map()), *image;
    const char *name = node_get_text(seen, "Name"), *status = node_get_text(state, "Status");

    set_text(c, "id", node_get_text(seen, "Id"));
    set_text(c, "name", name && name[0] == '/' ? name + 1 : name);
    set_text(c, "state", status);
    set_time(c, "created", seen, "Created");
    set_time(c, "started", state, "StartedAt");
    if (status && strcmp(status, "running") != 0) {
        set_time(c, "finished", state, "FinishedAt");
        node_set_int(c, "exit_status", node_get_int(state, "ExitCode", 0));
        set_text(c, "error", node_get_text(state, "Error"));
        if (node_get_bool(state, "OOMKilled", false))
            node_set_bool(c, "out_of_memory", true);
    }
    set_text(c, "restart", node_get_text(node_get(host, "RestartPolicy"), "Name"));
    node_set_int(c, "restarted", node_get_int(seen, "RestartCount", 0));
    set_text(c, "hash", node_get_text(node_get(config, "Labels"), LABEL_HASH));
    image = node_set(n, "image", node_new_map());
    set_text(image, "name", node_get_text(config, "Image"));
    set_text(image, "id", node_get_text(seen, "Image"));
}

/* {"port":"3260/tcp","at":["0.0.0.0:3260"]}; "at" is empty for one that is not published. */
static void set_ports(struct node *n, const struct node *seen)
{
    const struct node *ports = node_find(seen, "NetworkSettings.Ports"), *p, *b;
    struct node *list = node_set(n, "ports", node_new_list());

    if (!ports || ports->count == 0) /* of a stopped one: what it asks for */
        ports = node_find(seen, "HostConfig.PortBindings");
    node_for_each (p, ports) {
        struct node *row = node_add(list, node_new_map()), *at;

        node_set_text(row, "port", p->key);
        at = node_set(row, "at", node_new_list());
        node_for_each (b, p) {
            const char *ip = node_get_text(b, "HostIp"), *port = node_get_text(b, "HostPort");
            bool six = ip && strchr(ip, ':');
            auto_free char *text = mem_printf("%s%s%s:%s", six ? "[" : "", ip ? ip : "",
                                              six ? "]" : "", port ? port : "");

            node_add_text(at, text);
        }
    }
}

static void set_mounts(struct node *n, const struct node *seen)
{
    const struct node *mounts = node_get(seen, "Mounts"), *m;
    struct node *volumes = node_set(n, "volumes", node_new_list());
    struct node *folders = node_set(n, "folders", node_new_list());

    node_for_each (m, mounts) {
        const char *name = node_get_text(m, "Name");
        struct node *row = node_add(name ? volumes : folders, node_new_map());

        set_text(row, "name", name);
        set_text(row, "host_path", node_get_text(m, "Source"));
        set_text(row, "path", node_get_text(m, "Destination"));
        node_set_bool(row, "read_only", !node_get_bool(m, "RW", true));
    }
}

static void set_networks(struct node *n, const struct node *seen)
{
    const struct node *networks = node_find(seen, "NetworkSettings.Networks"), *w;
    struct node *list = node_set(n, "networks", node_new_list());

    node_for_each (w, networks) {
        struct node *row = node_add(list, node_new_map());
        const char *address = node_get_text(w, "IPAddress");

        if (!address || !*address) /* stopped: what it keeps */
            address = node_get_text(node_get(w, "IPAMConfig"), "IPv4Address");
        node_set_text(row, "name", w->key);
        set_text(row, "address", address);
        set_text(row, "address6", node_get_text(w, "GlobalIPv6Address"));
    }
}

static void set_rights(struct node *n, const struct node *seen)
{
    const struct node *host = node_get(seen, "HostConfig"), *d;
    const struct node *devices = node_get(host, "Devices");
    const struct node *rules = node_get(host, "DeviceCgroupRules");
    const struct node *add = node_get(host, "CapAdd");
    struct node *list = node_set(n, "devices", node_new_list());

    node_for_each (d, devices) {
        if (node_get_text(d, "PathOnHost"))
            node_add_text(list, node_get_text(d, "PathOnHost"));
    }
    node_for_each (d, rules) {
        if (d->text)
            node_add_text(list, d->text);
    }
    list = node_set(n, "capabilities", node_new_list());
    node_for_each (d, add) {
        if (d->text)
            node_add_text(list, d->text);
    }
    if (node_get_int(host, "Memory", 0) > 0)
        node_set_int(n, "memory_limit", node_get_int(host, "Memory", 0));
}

static int build(struct node **out, struct env *env, const struct node *row, struct err *e)
{
    const struct node *c = object_find_instance(env->containers, node_get_text(row, "instance"));
    auto_node struct node *seen = NULL, *n = node_new_map();

    node_set_text(n, "environment", env->name);
    for (size_t i = 0; i < row->count; i++)
        if (strcmp(row->items[i]->key, "container") != 0 &&
            strcmp(row->items[i]->key, "image") != 0 && strcmp(row->items[i]->key, "id") != 0)
            node_set(n, row->items[i]->key, node_copy(row->items[i]));
    node_set_text(n, "host", "local");
    if (c && engine_container_inspect(&seen, env->engine, node_get_text(c, "Id"), e) < 0)
        return -1;
    if (seen) {
        set_container(n, seen);
        set_ports(n, seen);
        set_mounts(n, seen);
        set_networks(n, seen);
        set_rights(n, seen);
        reach_set(n, env, seen, node_get_text(row, "component"), node_get_text(row, "instance"));
    }
    *out = steal(n);
    return 0;
}

int show_instance(struct node **out, struct env *env, const struct node *status, const char *word,
                  struct err *e)
{
    const struct node *instances = node_get(status, "instances"), *row;
    auto_strv struct strv known = {0};
    const char *name;

    node_for_each (row, instances) {
        strv_add(&known, node_get_text(row, "instance"));
    }
    if (instances_name(&name, env, &known, word, e) < 0)
        return -1;
    node_for_each (row, instances) {
        if (node_text_is(row, "instance", name))
            return build(out, env, row, e);
    }
    return -1; /* it is one of them */
}

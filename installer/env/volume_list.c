/* SPDX-License-Identifier: MIT */
/* What there is: every volume, and the lines that use one where it is attached. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/json.h"
#include "env/volume_trouble.h"
#include "model/keys.h"
#include "plan/object.h"
#include "plan/host_dir.h"
#include "volumes/usage.h"

enum { USAGE_MAX = 64 << 10 };

static struct node *row_of(const struct volume_run *r, const struct node *volume)
{
    struct node *n = node_copy(volume), *list, *s;
    const struct node *a;

    node_set_text(n, "name", volume->key);
    if (!node_get_text(n, "pool"))
        node_set_text(n, "pool", VOLUME_POOL);
    volume_run_bytes(n, "size");
    node_remove(n, "created"); /* the number of a revision, which tells nobody else anything */
    node_for_each (s, node_get(n, "snapshots")) {
        volume_run_bytes(s, "size");
        node_remove(s, "created");
    }
    list = node_set(n, "attached", node_new_list());
    node_for_each (a, r->attached) {
        struct node *entry;

        if (!node_text_is(a, "volume", volume->key))
            continue;
        entry = node_add(list, node_copy(a));
        node_remove(entry, "volume");
        node_remove(entry, "size");
        node_remove(entry, "pool");
    }
    return n;
}

const char *env_volume_state(const struct node *row)
{
    const struct node *attached = node_get(row, "attached"), *a;

    if (node_get_bool(row, "absent", false))
        return "deleting";
    if (node_get(row, "rollback"))
        return "going back";
    if (node_get_bool(row, "template", false))
        return "template";
    node_for_each (a, attached) {
        if (!node_get_bool(a, "detaching", false))
            return "attached";
    }
    return attached->count ? "detaching" : "free";
}

int env_volume_list(struct node **rows, struct env *env, struct err *e)
{
    auto_volume_run struct volume_run r;
    auto_strv struct strv texts = {0};
    const struct node *v;

    volume_run_init(&r, env, NULL);
    if (volume_run_read(&r, e) < 0 || volume_trouble_load(&texts, &r, e) < 0)
        return -1;
    *rows = node_new_list();
    node_for_each (v, r.maps.volumes) {
        volume_trouble_add(node_add(*rows, row_of(&r, v)), &texts);
    }
    return 0;
}

/* ---- the lines that use it ---- */

/* "127.0.0.1:3260" where the container's port is published, else its own address. */
static char *port_address(const struct node *container, const char *address, int port)
{
    const struct node *ports = node_get(container, "Ports"), *p;

    node_for_each (p, ports) {
        const char *ip = node_get_text(p, "IP");
        int64_t public = node_get_int(p, "PublicPort", 0);

        if (node_get_int(p, "PrivatePort", 0) == port && public > 0)
            return mem_printf("%s:%" PRId64, ip && strcmp(ip, "0.0.0.0") != 0 ? ip : "127.0.0.1",
                              public);
    }
    return mem_printf("%s:%d", address, port);
}

/* Addresses of the monitors, as every component that wants them is told. */
static char *monitors(const struct volume_run *r, const char *component)
{
    auto_free char *key = keys_component_shared(r->env->name, component, "mons");
    auto_node struct node *map = NULL;
    auto_strv struct strv addresses = {0};
    struct etcd_kv kv = {0};
    const struct node *n;
    struct err dropped;

    if (etcd_get(&kv, r->env->etcd, key, &dropped) < 0) {
        err_drop(&dropped, "the addresses of the monitors");
        return mem_strdup("MONITORS");
    }
    if (json_parse(&map, key, kv.value, kv.value_len, &dropped) < 0)
        err_drop(&dropped, "the addresses of the monitors");
    etcd_kv_clear(&kv);
    node_for_each (n, map) {
        if (n->text)
            strv_add(&addresses, n->text);
    }
    return strv_join(&addresses, ",");
}

static struct node *variables(const struct volume_run *r, const struct node *row,
                              const struct spec_instance *i)
{
    const struct node *c = object_find_instance(r->env->containers, i->name);
    const char *address = object_address(c);
    auto_free char *folder = host_dir_path(r->env->name, i->name);
    auto_free char *mons = monitors(r, i->manifest->name);
    struct node *n = node_new_map();

    node_set_text(n, "env", r->env->name);
    node_set_text(n, "instance", i->name);
    node_set_text(n, "volume", node_get_text(row, "name"));
    node_set_text(n, "pool", node_get_text(row, "pool"));
    node_set_text(n, "size", node_get_text(row, "size") ? node_get_text(row, "size") : "");
    node_set_text(n, "host_dir", folder);
    node_set_text(n, "address", address ? address : i->name);
    node_set_text(n, "mons", mons);
    for (size_t k = 0; k < i->manifest->config_count; k++) {
        auto_free char *name = mem_printf("config.%s", i->manifest->config[k].name);
        const struct node *value = spec_value(r->spec, i, i->manifest->config[k].name);

        if (value && value->text)
            node_set_text(n, name, value->text);
    }
    for (size_t p = 0; p < i->manifest->port_count; p++) {
        auto_free char *name = mem_printf("port.%s", i->manifest->ports[p].name);
        auto_free char *at =
            port_address(c, address ? address : i->name, i->manifest->ports[p].port);

        node_set_text(n, name, at);
    }
    return n;
}

/* "use": the driver's lines, for one place where it is attached. */
static int add_usage(const struct volume_run *r, struct node *row, struct node *attached,
                     struct err *e)
{
    const struct spec_instance *i = spec_instance(r->spec, node_get_text(attached, "instance"));
    auto_free char *path = fs_join(i->manifest->dir, "usage");
    auto_free char *text = NULL;
    auto_node struct node *known = NULL;
    struct node *lines = NULL;

    if (fs_read(&text, NULL, path, USAGE_MAX, e) < 0)
        return e->code == ERR_NOTFOUND ? 0 : -1;
    known = variables(r, row, i);
    if (volume_usage_render(&lines, text, known, e) < 0)
        return err_wrap(e, "%s", path);
    node_set(attached, "use", lines);
    return 0;
}

static int show(struct node *row, struct volume_run *r, struct err *e)
{
    auto_strv struct strv texts = {0};
    struct node *attached = node_get(row, "attached"), *a;

    if (volume_trouble_load(&texts, r, e) < 0)
        return -1;
    volume_trouble_add(row, &texts);
    node_for_each (a, attached) {
        if (add_usage(r, row, a, e) < 0)
            return -1;
    }
    return 0;
}

int env_volume_show(struct node **row, struct env *env, const char *name, struct err *e)
{
    auto_volume_run struct volume_run r;
    auto_node struct node *n = NULL;
    struct node *volume = NULL;

    volume_run_init(&r, env, NULL);
    if (volume_run_read(&r, e) < 0 || volume_find(&volume, &r.maps, name, e) < 0)
        return -1;
    n = row_of(&r, volume);
    if (show(n, &r, e) < 0)
        return -1;
    *row = steal(n);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* volume list, volume show. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/out.h"
#include "cmd/volume_run.h"
#include "cmd/volume_trouble.h"
#include "cmd/volume_usage.h"
#include "conf/json.h"
#include "model/keys.h"
#include "plan/connect.h"
#include "plan/host_dir.h"

enum { TEXT_MAX = 8 << 20, USAGE_MAX = 64 << 10 };

static const struct volume_options no_options = {0};

/* ---- what one volume is -----------------------------------------------------------------------
 */

static struct node *row_of(const struct volume_run *r, const struct node *volume)
{
    struct node *n = node_copy(volume), *list;
    const struct node *a;

    node_set_text(n, "name", volume->key);
    if (!node_get_text(n, "pool"))
        node_set_text(n, "pool", VOLUME_POOL);
    list = node_set(n, "attached", node_new_list());
    node_for_each (a, r->attached) {
        struct node *entry;

        if (strcmp(node_get_text(a, "volume"), volume->key) != 0)
            continue;
        entry = node_add(list, node_copy(a));
        node_remove(entry, "volume");
        node_remove(entry, "size");
        node_remove(entry, "pool");
    }
    return n;
}

static const char *state_of(const struct node *row)
{
    if (node_get_bool(row, "absent", false))
        return "deleting";
    if (node_get_bool(row, "template", false))
        return "template";
    return node_get(row, "attached")->count ? "attached" : "free";
}

static void add_names(struct buf *b, const struct node *list, const char *key)
{
    const struct node *n;
    const char *between = "";

    node_for_each (n, list) {
        buf_printf(b, "%s%s%s", between, key ? node_get_text(n, key) : n->key,
                   node_get_bool(n, "read_only", false) ? " (read-only)" : "");
        between = ", ";
    }
}

/* Sentences have a line each, below what they are about. */
static void add_problems(struct buf *b, const struct node *row, const char *before)
{
    const struct node *problems = node_get(row, "problems"), *n;

    node_for_each (n, problems) {
        buf_puts(b, before);
        out_safe(b, n->text, strlen(n->text));
        buf_putc(b, '\n');
    }
}

/* ---- list -------------------------------------------------------------------------------------
 */

static void print_list(const struct cmd_context *x, const struct node *rows)
{
    static const char *const heads[] = {"VOLUME",    "SIZE",     "POOL", "STATE",
                                        "SNAPSHOTS", "ATTACHED", "FROM", NULL};
    struct out_table *t = out_table_new(heads);
    auto_buf struct buf b;
    const struct node *n;

    buf_init(&b, TEXT_MAX);
    node_for_each (n, rows) {
        const struct node *snapshots = node_get(n, "snapshots");
        auto_buf struct buf where;

        buf_init(&where, TEXT_MAX);
        add_names(&where, node_get(n, "attached"), "instance");
        out_table_add(t, node_get_text(n, "name"), OUT_BOLD);
        out_table_add(t, node_get_text(n, "size"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "pool"), OUT_PLAIN);
        out_table_add(t, state_of(n),
                      node_get(n, "problems")                ? OUT_BAD
                      : strcmp(state_of(n), "attached") == 0 ? OUT_GOOD
                                                             : OUT_PLAIN);
        out_table_addf(t, OUT_PLAIN, "%zu", snapshots ? snapshots->count : 0);
        out_table_add(t, where.len ? buf_str(&where) : NULL, OUT_PLAIN);
        out_table_add(t, node_get_text(n, "from"), OUT_DIM);
    }
    out_table_format(&b, t, out_has_color(x, stdout));
    out_table_free(t);
    node_for_each (n, rows) {
        add_problems(&b, n, "");
    }
    out_buf(&b);
}

static int run_list(struct cmd_context *x, void *options, const struct strv *operands,
                    struct err *e)
{
    struct volume_run r;
    auto_node struct node *rows = node_new_list();
    auto_strv struct strv texts = {0};
    int result = volume_run_open(&r, x, &no_options, e);
    const struct node *v;

    (void)options;
    (void)operands;
    if (result == 0)
        result = volume_trouble_load(&texts, &r, e);
    if (result == 0) {
        node_for_each (v, r.maps.volumes) {
            volume_trouble_add(node_add(rows, row_of(&r, v)), &texts);
        }
        if (x->json)
            out_json(rows);
        else
            print_list(x, rows);
    }
    volume_run_close(&r);
    return result;
}

const struct cmd cmd_volume_list = {
    .help = {.name = "volume list",
             .summary = "every volume, and who serves it",
             .group = "Volumes"},
    .needs = VOLUME_NEEDS,
    .run = run_list,
};

/* ---- show -------------------------------------------------------------------------------------
 */

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
    auto_free char *key = keys_component_shared(r->x->env, component, "mons");
    auto_node struct node *map = NULL;
    auto_strv struct strv addresses = {0};
    struct etcd_kv kv = {0};
    const struct node *n;
    struct err dropped;

    if (etcd_get(&kv, r->x->etcd, key, &dropped) < 0) {
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
    const struct node *c = connect_find(r->x->containers, i->name);
    const char *address = connect_label(c, LABEL_ADDRESS);
    auto_free char *folder = host_dir_path(r->x->env, i->name);
    auto_free char *mons = monitors(r, i->manifest->name);
    struct node *n = node_new_map();

    node_set_text(n, "env", r->x->env);
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

static void print_use(const struct cmd_context *x, const struct node *a)
{
    const char *bold = out_has_color(x, stdout) ? out_escape(OUT_BOLD) : "";
    const char *plain = out_has_color(x, stdout) ? out_escape(OUT_PLAIN) : "";
    const struct node *list = node_get(a, "use"), *n;

    printf("\n%s%s%s%s\n", bold, node_get_text(a, "instance"), plain,
           node_get_bool(a, "read_only", false) ? " (read-only)" : "");
    node_for_each (n, list) {
        printf("  %s:\n    %s\n", node_get_text(n, "title"), node_get_text(n, "line"));
    }
}

static void print_show(const struct cmd_context *x, const struct node *row)
{
    static const char *const keys[] = {"size", "pool", "data_pool", "from"};
    const struct node *attached = node_get(row, "attached"), *snapshots, *a;

    printf("%-10s %s\n%-10s %s\n", "volume", node_get_text(row, "name"), "state", state_of(row));
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (node_get_text(row, keys[i]))
            printf("%-10s %s\n", keys[i], node_get_text(row, keys[i]));
    if (node_get(row, "problems")) {
        auto_buf struct buf b;

        buf_init(&b, TEXT_MAX);
        add_problems(&b, row, "problem    ");
        out_buf(&b);
    }
    snapshots = node_get(row, "snapshots");
    if (snapshots && snapshots->count) {
        auto_buf struct buf b;

        buf_init(&b, TEXT_MAX);
        add_names(&b, snapshots, NULL);
        printf("%-10s %s\n", "snapshots", buf_str(&b));
    }
    node_for_each (a, attached) {
        print_use(x, a);
    }
    if (attached->count == 0 && strcmp(state_of(row), "free") == 0)
        printf("\n`slipway volume attach %s --to DRIVER` makes it usable\n",
               node_get_text(row, "name"));
}

static int run_show(struct cmd_context *x, void *options, const struct strv *operands,
                    struct err *e)
{
    struct volume_run r;
    auto_node struct node *row = NULL;
    auto_strv struct strv texts = {0};
    struct node *volume = NULL, *a, *attached = NULL;
    int result = volume_run_open(&r, x, &no_options, e);

    (void)options;
    if (result == 0)
        result = volume_find(&volume, &r.maps, operands->items[0], e);
    if (result == 0) {
        row = row_of(&r, volume);
        attached = node_get(row, "attached");
        result = volume_trouble_load(&texts, &r, e);
    }
    if (result == 0)
        volume_trouble_add(row, &texts);
    node_for_each (a, attached) {
        if (result == 0)
            result = add_usage(&r, row, a, e);
    }
    volume_run_close(&r);
    if (result < 0)
        return -1;
    if (x->json)
        out_json(row);
    else
        print_show(x, row);
    return 0;
}

const struct cmd cmd_volume_show = {
    .help = {.name = "volume show",
             .summary = "one volume, and the lines that use it where it is attached",
             .args = "VOLUME",
             .group = "Volumes"},
    .needs = VOLUME_NEEDS,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_show,
};

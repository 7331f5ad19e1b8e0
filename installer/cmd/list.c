/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/instances.h"
#include "cmd/out.h"
#include "plan/connect.h"
#include "plan/world.h"

enum { TEXT_MAX = 1 << 20 };

/* One environment: how many of its containers run. `uuid` NULL: made elsewhere, its key is not
 * here. */
static struct node *row_of(const char *name, const char *uuid, const struct node *containers,
                           bool has_key)
{
    struct node *n = node_new_map();
    int64_t count = 0, running = 0;
    const struct node *c;

    node_for_each (c, containers) {
        const char *label = connect_label(c, LABEL_ENV);

        if (!label || strcmp(label, uuid) != 0 || connect_is_aside(c))
            continue;
        count++;
        running += strcmp(world_state(c), "running") == 0;
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
    node_set_bool(n, "key", has_key);
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

static int collect(struct node *list, struct cmd_context *x, struct err *e)
{
    auto_node struct node *containers = NULL;
    auto_strv struct strv names = {0};
    const struct node *c;

    if (engine_container_list(&containers, x->engine, LABEL_ENV, e) < 0)
        return -1;
    cmd_environments(&names);
    for (size_t i = 0; i < names.count; i++) {
        struct env_key key;

        if (secret_load_key(&key, names.items[i], e) < 0)
            return -1;
        node_add(list, row_of(names.items[i], key.uuid, containers, true));
        explicit_bzero(&key, sizeof(key));
    }
    node_for_each (c, containers) {
        const char *uuid = connect_label(c, LABEL_ENV), *name = connect_label(c, LABEL_NAME);

        if (uuid && !is_listed(list, uuid))
            node_add(list, row_of(name ? name : "?", uuid, containers, false));
    }
    return 0;
}

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    static const char *const heads[] = {"ENVIRONMENT", "STATE", "INSTANCES", "UUID", "KEY", NULL};
    auto_node struct node *list = node_new_list();
    auto_buf struct buf b = {0};
    struct out_table *t;
    const struct node *n;

    (void)options;
    (void)operands;
    buf_init(&b, TEXT_MAX);
    if (collect(list, x, e) < 0)
        return -1;
    if (x->json) {
        out_json(list);
        return 0;
    }
    t = out_table_new(heads);
    node_for_each (n, list) {
        bool key = node_get_bool(n, "key", false);
        bool all = node_get_int(n, "running", 0) == node_get_int(n, "instances", 0);

        out_table_add(t, node_get_text(n, "environment"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "state"), all ? OUT_PLAIN : OUT_WARN);
        out_table_addf(t, OUT_PLAIN, "%s/%s", node_get_text(n, "running"),
                       node_get_text(n, "instances"));
        out_table_add(t, node_get_text(n, "uuid"), OUT_DIM);
        out_table_add(t, key ? "here" : "not here", key ? OUT_PLAIN : OUT_WARN);
    }
    out_table_format(&b, t, out_has_color(x, stdout));
    out_table_free(t);
    out_buf(&b);
    return 0;
}

const struct cmd cmd_list = {
    .help = {.name = "list",
             .summary = "the environments of this machine",
             .details = "KEY says whether this machine has the environment's key; without it "
                        "nothing can be done to it from here.",
             .group = "Environments"},
    .needs = CMD_NEEDS_ENGINE,
    .run = run,
};

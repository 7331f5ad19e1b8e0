/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "conf/json.h"
#include "model/change.h"
#include "model/keys.h"

enum { TEXT_MAX = 8 << 20, CHANGE_MAX = 16384 };

static const struct opt_example examples[] = {
    {"slipway config history", "every change, and who broke locks"},
    {"slipway config history ceph-osd memory_target", "one key"},
    {0},
};

/* "ceph-osd" also matches "ceph-osd/ceph-osd-1". */
static bool is_about(const struct node *detail, const struct strv *operands)
{
    const char *target = node_get_text(detail, "target"), *word;
    size_t len;

    if (operands->count == 0)
        return true;
    word = operands->items[0];
    len = strlen(word);
    return target && strncmp(target, word, len) == 0 && (!target[len] || target[len] == '/');
}

static void add_change(struct node *list, const struct node *entry, const struct node *change,
                       const char *time)
{
    static const char *const copied[] = {"name", "old", "new", "instance"};
    struct node *n = node_add(list, node_new_map());
    const struct node *detail = node_get(entry, "detail");
    const char *target = node_get_text(detail, "target"), *reason = node_get_text(detail, "reason");

    node_set_text(n, "time", time);
    node_set_text(n, "who", node_get_text(entry, "who") ? node_get_text(entry, "who") : "?");
    node_set_text(n, "what", node_get_text(entry, "what") ? node_get_text(entry, "what") : "?");
    if (target)
        node_set_text(n, "target", target);
    if (reason)
        node_set_text(n, "reason", reason);
    for (size_t i = 0; i < ARRAY_LEN(copied); i++)
        if (node_get_text(change, copied[i]))
            node_set_text(n, copied[i], node_get_text(change, copied[i]));
}

static void add_entry(struct node *list, const struct node *entry, const char *time,
                      const struct strv *operands)
{
    const struct node *detail = node_get(entry, "detail"), *changes = node_get(detail, "changes");
    const struct node *c;

    if (!is_about(detail, operands))
        return;
    if (!changes && operands->count < 2)
        add_change(list, entry, NULL, time);
    node_for_each (c, changes) {
        const char *name = node_get_text(c, "name");

        if (operands->count < 2 || (name && strcmp(name, operands->items[1]) == 0))
            add_change(list, entry, c, time);
    }
}

/* A component that is in no catalog any more has texts as etcd has them. */
static const struct config_key *key_of(const struct cmd_context *x, const struct node *n)
{
    const char *target = node_get_text(n, "target"), *name = node_get_text(n, "name");
    auto_free char *component = target ? mem_strndup(target, strcspn(target, "/")) : NULL;
    const struct manifest *m = component ? catalog_find(x->catalog, component) : NULL;

    return m && name ? manifest_config(m, name) : NULL;
}

static void print(const struct cmd_context *x, const struct node *list)
{
    static const char *const heads[] = {"TIME", "WHO", "WHAT", "TARGET", "KEY", "CHANGE", NULL};
    struct out_table *t = out_table_new(heads);
    auto_buf struct buf b = {0};
    const struct node *n;

    buf_init(&b, TEXT_MAX);
    node_for_each (n, list) {
        auto_buf struct buf change = {0};
        const char *reason = node_get_text(n, "reason"), *instance = node_get_text(n, "instance");

        out_table_addf(t, OUT_DIM, "%.19s", node_get_text(n, "time"));
        out_table_add(t, node_get_text(n, "who"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "what"), OUT_PLAIN);
        out_table_add(t, instance ? instance : node_get_text(n, "target"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "name"), OUT_PLAIN);
        buf_init(&change, CHANGE_MAX);
        if (node_get_text(n, "name"))
            change_format(&change, key_of(x, n), node_get_text(n, "old"), node_get_text(n, "new"));
        out_table_add(t, change.len ? buf_str(&change) : reason, OUT_PLAIN);
    }
    out_table_format(&b, t, out_has_color(x, stdout));
    out_table_free(t);
    out_buf(&b);
}

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    auto_free char *prefix = keys_audit(x->env, "");
    auto_node struct node *list = node_new_list();
    struct etcd_kvs kvs = {0};

    (void)options;
    if (etcd_range(&kvs, x->etcd, prefix, e) < 0)
        return -1;
    for (size_t i = 0; i < kvs.count; i++) {
        const struct etcd_kv *kv = &kvs.items[i];
        auto_node struct node *entry = NULL;
        struct err bad;

        if (json_parse(&entry, kv->key, kv->value, kv->value_len, &bad) < 0)
            err_drop(&bad, "an entry of the audit trail");
        else
            add_entry(list, entry, kv->key + strlen(prefix), operands);
    }
    etcd_kvs_clear(&kvs);
    if (x->json)
        out_json(list);
    else
        print(x, list);
    return 0;
}

const struct cmd cmd_config_history = {
    .help = {.name = "config history",
             .summary = "who changed what, and when",
             .args = "[COMPONENT[/INSTANCE] [KEY]]",
             .examples = examples,
             .group = "Configuration"},
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_CATALOG | CMD_NEEDS_ETCD,
    .max_operands = 2,
    .run = run,
};

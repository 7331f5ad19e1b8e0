/* SPDX-License-Identifier: MIT */
/* config get, set, delete, list. */
#include "env/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/config_print.h"
#include "cmd/out.h"

struct change_options {
    bool dry_run;
    int64_t lock_wait_ms;
};

static const struct opt_spec change_specs[] = {
    {"dry-run", 'n', OPT_FLAG, NULL, "check and show, change nothing",
     offsetof(struct change_options, dry_run)},
    {"lock-wait", 0, OPT_DURATION, "TIME", "wait for another run that holds the lock",
     offsetof(struct change_options, lock_wait_ms)},
    {0},
};

static const struct opt_example set_examples[] = {
    {"slipway config set ceph-osd memory_target 2GiB", "for every OSD"},
    {"slipway config set ceph-osd/2 memory_target 3GiB", "for one of them"},
    {"slipway config set ceph-mon live.debug_mon 5/5", "one entry of a map"},
    {"slipway config set ceph-osd/2 memory_target=3GiB crush_host=b", "several together, or none"},
    {0},
};

static const struct opt_example get_examples[] = {
    {"slipway config get ceph-osd memory_target", "the value in effect"},
    {"slipway config get ceph-osd-2 live.debug_osd", "one entry of a map, for one instance"},
    {0},
};

/* ---- get ---- */

static int run_get(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    auto_node struct node *n = NULL;

    (void)options;
    if ((x->remote ? remote_config_get(&n, x->remote, operands->items[0], operands->items[1], e)
                   : env_config_get(&n, x->env, operands->items[0], operands->items[1], e)) < 0)
        return -1;
    if (x->json || !n->text || n->kind == NODE_KIND_LIST || n->kind == NODE_KIND_MAP)
        out_json(n);
    else
        out_value(n->text);
    return 0;
}

/* ---- set, delete ---- */

static int change_there(struct cmd_context *x, const struct change_options *o, const char *target,
                        const struct config_edit *edits, struct err *e)
{
    struct remote_change c;

    if (o->lock_wait_ms)
        return err_set(e, ERR_USAGE, "--lock-wait does not work with --server");
    if (remote_config_change(&c, x->remote, target, edits, o->dry_run, e) < 0)
        return -1;
    config_say_rows(x, c.component, c.changes, o->dry_run);
    node_free(c.changes);
    free(c.component);
    return 0;
}

static int run_change(struct cmd_context *x, const struct change_options *o, const char *target,
                      const struct config_edit *edits, struct err *e)
{
    struct config_state s;
    struct config_commit c = {.what = edits->value ? "config set" : "config delete",
                              .dry_run = o->dry_run,
                              .lock_wait_ms = o->lock_wait_ms};
    int r;

    if (x->remote)
        return change_there(x, o, target, edits, e);
    r = env_config_change(&s, x->env, target, edits, &c, e);
    if (r == 0)
        config_say(x, &s);
    config_close(&s);
    return r;
}

/* "KEY=VALUE ...": keys have no "=". */
static int set_pairs(struct cmd_context *x, void *o, const struct strv *operands, struct err *e)
{
    auto_free struct config_edit *edits = mem_array(operands->count, sizeof(*edits));
    auto_strv struct strv keys = {0};

    for (size_t i = 1; i < operands->count; i++) {
        const char *word = operands->items[i], *equal = strchr(word, '=');

        strv_take(&keys, mem_strndup(word, (size_t)(equal - word)));
        edits[i - 1] = (struct config_edit){keys.items[i - 1], equal + 1};
    }
    return run_change(x, o, operands->items[0], edits, e);
}

/* KEY VALUE, or a KEY=VALUE for each. */
static bool is_pair(const struct strv *operands)
{
    return operands->count == 3 && !strchr(operands->items[1], '=');
}

static int check_set(const struct cmd_context *x, const void *opts, const struct strv *operands,
                     struct err *e)
{
    (void)x;
    (void)opts;
    for (size_t i = 1; i < operands->count && !is_pair(operands); i++)
        if (!strchr(operands->items[i], '='))
            return err_set(e, ERR_USAGE, "config set needs a value for %s", operands->items[i]);
    return 0;
}

static int run_set(struct cmd_context *x, void *o, const struct strv *operands, struct err *e)
{
    struct config_edit edits[] = {{operands->items[1], NULL}, {0}};

    if (!is_pair(operands))
        return set_pairs(x, o, operands, e);
    edits[0].value = operands->items[2];
    return run_change(x, o, operands->items[0], edits, e);
}

static int run_delete(struct cmd_context *x, void *o, const struct strv *operands, struct err *e)
{
    const struct config_edit edits[] = {{operands->items[1], NULL}, {0}};

    return run_change(x, o, operands->items[0], edits, e);
}

/* ---- list ---- */

static void print_rows(const struct cmd_context *x, const struct node *list)
{
    static const char *const heads[] = {"TARGET", "KEY", "FROM", "VALUE", NULL};
    struct out_table *t = out_table_new(heads);
    const struct node *n;

    node_for_each (n, list) {
        const char *instance = node_get_text(n, "instance"), *from = node_get_text(n, "source");

        out_table_add(t, instance ? instance : node_get_text(n, "component"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "key"), OUT_PLAIN);
        out_table_add(t, from, OUT_DIM);
        out_table_add(t, node_get_text(n, "shown"),
                      strcmp(from, "default") == 0 ? OUT_PLAIN : OUT_BOLD);
    }
    out_table_print(t, x);
}

static int run_list(struct cmd_context *x, void *options, const struct strv *operands,
                    struct err *e)
{
    const char *target = operands->count ? operands->items[0] : NULL;
    auto_node struct node *list = NULL;

    (void)options;
    if ((x->remote ? remote_config_list(&list, x->remote, target, e)
                   : env_config_list(&list, x->env, target, e)) < 0)
        return -1;
    if (x->json)
        out_json(list);
    else
        print_rows(x, list);
    return 0;
}

/* ---- records ---- */

#define CONFIG_NEEDS (ENV_NEEDS_NAME | ENV_NEEDS_CATALOG | ENV_NEEDS_ETCD)

const struct cmd cmd_config_get = {
    .help = {.name = "config get",
             .summary = "print the value of a key that is in effect",
             .args = "COMPONENT[/INSTANCE] KEY[.PATH]",
             .details = "Sizes are printed in bytes, durations in milliseconds. Exit status 1 when "
                        "the key is not set.",
             .examples = get_examples,
             .group = "Configuration"},
    .needs = CONFIG_NEEDS,
    .server = true,
    .min_operands = 2,
    .max_operands = 2,
    .run = run_get,
};

const struct cmd cmd_config_set = {
    .help = {.name = "config set",
             .summary = "change a key: checked, recorded, and in effect at once",
             .args = "COMPONENT[/INSTANCE] KEY[.PATH] VALUE | KEY[.PATH]=VALUE...",
             .details = "The document and the key change together. The instances apply it as the "
                        "component says: live, by a reload, or by a restart of the daemon.",
             .options = change_specs,
             .examples = set_examples,
             .group = "Configuration"},
    .options_size = sizeof(struct change_options),
    .needs = CONFIG_NEEDS,
    .server = true,
    .min_operands = 2,
    .max_operands = -1,
    .check = check_set,
    .run = run_set,
};

const struct cmd cmd_config_delete = {
    .help = {.name = "config delete",
             .summary = "take a key out of the document; its default counts again",
             .args = "COMPONENT[/INSTANCE] KEY[.PATH]",
             .options = change_specs,
             .group = "Configuration"},
    .options_size = sizeof(struct change_options),
    .needs = CONFIG_NEEDS,
    .server = true,
    .min_operands = 2,
    .max_operands = 2,
    .run = run_delete,
};

const struct cmd cmd_config_list = {
    .help = {.name = "config list",
             .summary = "every key with its value and where it comes from",
             .args = "[COMPONENT[/INSTANCE]]",
             .details =
                 "FROM is the instance, the document, its profile, or the component's default. "
                 "With --json a value is what etcd holds, bytes and milliseconds, and what "
                 "a document would say is beside it.",
             .group = "Configuration"},
    .needs = CONFIG_NEEDS,
    .server = true,
    .max_operands = 1,
    .run = run_list,
};

/* SPDX-License-Identifier: MIT */
/* pool create, list, show, delete. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/out.h"
#include "cmd/volume_common.h"

/* ---- create ---- */

struct create_options {
    struct volume_options common;
    struct volume_pool pool;
    struct strv policies;
};

static const char *const algorithms[] = {"none", "lz4", "snappy", "zlib", "zstd", NULL};
static const char *const modes[] = {"passive", "aggressive", "force", NULL};

#define AT(field) offsetof(struct create_options, pool.field)
static const struct opt_spec create_specs[] = {
    {"size", 's', OPT_INT, "N", "copies of every object; 3 is usual", AT(size), .min = 1,
     .max = 32},
    {"min-size", 0, OPT_INT, "N", "copies that must be there for I/O to go on", AT(min_size),
     .min = 1, .max = 32},
    {"k", 'k', OPT_INT, "N", "erasure coded: parts that hold the data", AT(k), .min = 2, .max = 32},
    {"m", 'm', OPT_INT, "N", "erasure coded: parts that may be lost", AT(m), .min = 1, .max = 32},
    {"pg-num", 0, OPT_INT, "N", "placement groups", AT(pg_num), .min = 1, .max = 65536},
    {"data-pool", 0, OPT_STRING, "POOL", "where the data of its volumes goes", AT(data_pool)},
    {"quota", 0, OPT_STRING, "SIZE", "the most it may hold", AT(quota)},
    {"policy", 0, OPT_LIST, "POLICY",
     "K+M, or \"K+M c=C x=X\": c of the parts for I/O, at most x on a host; several: the first "
     "that "
     "can be had",
     offsetof(struct create_options, policies)},
    {"compression", 0, OPT_STRING, "ALGORITHM", "what new data is compressed with", AT(compression),
     .values = algorithms},
    {"compression-mode", 0, OPT_STRING, "MODE",
     "aggressive (the default), passive: only what clients mark, force", AT(compression_mode),
     .values = modes},
    VOLUME_OPTIONS(create_options),
    {0},
};
#undef AT

static const struct opt_example create_examples[] = {
    {"slipway pool create fast --size 3", "every object three times"},
    {"slipway pool create cold -k 4 -m 2", "erasure coded, for `volume create --data-pool cold`"},
    {"slipway pool create cold --policy '4+2 c=5 x=1' --policy 2+1 --policy 1+1",
     "the first that the OSDs can hold; says which, and why"},
    {"slipway pool create logs --size 2 --compression zstd",
     "later: slipway config set ceph-mgr pools.logs.compression none"},
    {0},
};

/* Which policy it became, and why not the ones before it; and what it lacks. */
static void say_seen(const struct cmd_context *x, const char *pool)
{
    auto_node struct node *seen = NULL;
    const char *policy, *why, *lacks;
    struct err e;

    if (env_pool_ask(&seen, x->env, pool, &e) < 0) {
        log_warn("what became of it could not be asked: %s", e.msg);
        return;
    }
    policy = node_get_text(seen, "policy");
    why = node_get_text(seen, "why");
    lacks = node_get_text(seen, "lacks");
    if (policy)
        out_line(stdout, "%s: policy %s%s%s", pool, policy, why ? ", because " : "",
                 why ? why : "");
    if (lacks)
        out_line(stdout, "%s: not all parts have a place: %s", pool, lacks);
}

static int run_create(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    struct create_options *o = opts;
    auto_strv struct strv already = {0};
    struct volume_said said = {operands, "created", &o->common, clock_now_ms()};
    int r;

    o->common.already = &already;
    o->pool.policies = &o->policies;
    r = env_pool_create(x->env, operands->items[0], &o->pool, &o->common, e);
    if (r == 0)
        volume_say(x, &said);
    if (r == 0 && !x->quiet && !x->json && !o->common.no_wait)
        say_seen(x, operands->items[0]);
    strv_clear(&o->policies);
    return r;
}

const struct cmd cmd_pool_create = {
    .help = {.name = "pool create",
             .summary = "create a pool: replicated, erasure coded, or by a list of policies",
             .details =
                 "A policy is k data and m coding parts (1+2: three copies), c of which must be "
                 "there for I/O, and at most x of which are on one host. Of several the first is "
                 "taken that the OSDs that are up can hold; when none can, nothing is made and it "
                 "is said what each would need. k, m and x stay; c and compression may be changed "
                 "(`slipway config set ceph-mgr pools.NAME.c VALUE`). A pool with a k above 1 "
                 "holds only "
                 "the data of volumes: --data-pool.",
             .args = "POOL",
             .options = create_specs,
             .examples = create_examples,
             .group = "Volumes"},
    .options_size = sizeof(struct create_options),
    .needs = ENV_VOLUMES_NEEDS,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_create,
};

/* ---- delete ---- */

struct delete_options {
    struct volume_options common;
    bool yes;
};

static const struct opt_spec delete_specs[] = {
    ASK_YES(delete_options),
    VOLUME_OPTIONS(delete_options),
    {0},
};

static int check_delete(const struct cmd_context *x, const void *opts, const struct strv *operands,
                        struct err *e)
{
    const struct delete_options *o = opts;

    (void)operands;
    (void)x; /* a pool is named */
    return ask_may_lose("pool delete", true, o->yes, e);
}

static int run_delete(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct delete_options *o = opts;
    struct volume_said said = {operands, "deleted", &o->common, clock_now_ms()};
    auto_free char *question =
        mem_printf("Delete pool %s of %s, with all data?", operands->items[0], x->env->name);

    if (ask_before(question, o->yes, e) < 0)
        return -1;
    if (env_pool_delete(x->env, operands->items[0], &o->common, e) < 0)
        return -1;
    volume_say(x, &said);
    return 0;
}

const struct cmd cmd_pool_delete = {
    .help = {.name = "pool delete",
             .summary = "delete a pool that no volume uses",
             .details =
                 "The monitors refuse it until `slipway config set ceph-mon allow_pool_delete "
                 "true`.",
             .args = "POOL",
             .options = delete_specs,
             .group = "Volumes"},
    .options_size = sizeof(struct delete_options),
    .needs = ENV_VOLUMES_NEEDS,
    .min_operands = 1,
    .max_operands = 1,
    .check = check_delete,
    .run = run_delete,
};

/* ---- list, show ---- */

/* "4+2 c=5, 2+1" */
static char *policies_text(const struct node *pool)
{
    auto_strv struct strv texts = {0};
    const struct node *policies = node_get(pool, "policies"), *n;

    node_for_each (n, policies) {
        if (n->text)
            strv_add(&texts, n->text);
        else
            strv_addf(&texts, "%s+%s", node_get_text(n, "k"), node_get_text(n, "m"));
    }
    return strv_join(&texts, ", ");
}

static void print_list(const struct cmd_context *x, const struct node *rows)
{
    static const char *const heads[] = {"POOL", "KIND", "COPIES", "QUOTA", "VOLUMES", NULL};
    struct out_table *t = out_table_new(heads);
    const struct node *n;

    node_for_each (n, rows) {
        const char *k = node_get_text(n, "k"), *m = node_get_text(n, "m");
        char quota[32];

        out_table_add(t, node_get_text(n, "name"), OUT_BOLD);
        out_table_add(t, node_get_bool(n, "absent", false) ? "deleting" : node_get_text(n, "kind"),
                      OUT_PLAIN);
        if (node_get(n, "policies")) {
            auto_free char *list = policies_text(n);

            out_table_add(t, list, OUT_PLAIN);
        } else if (k && m)
            out_table_addf(t, OUT_PLAIN, "%s+%s", k, m);
        else
            out_table_add(t, node_get_text(n, "size"), OUT_PLAIN);
        out_table_add(t, volume_size(quota, n, "quota"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "volumes"), OUT_PLAIN);
    }
    out_table_print(t, x);
}

static int run_list(struct cmd_context *x, void *options, const struct strv *operands,
                    struct err *e)
{
    (void)options, (void)operands;
    return volume_list(x, env_pool_list, print_list, e);
}

static int run_show(struct cmd_context *x, void *options, const struct strv *operands,
                    struct err *e)
{
    auto_node struct node *row = NULL;
    const struct node *n;
    char quota[32];

    (void)options;
    if (env_pool_show(&row, x->env, operands->items[0], e) < 0)
        return -1;
    if (x->json)
        out_json(row);
    node_for_each (n, row) {
        auto_free char *list =
            strcmp(n->key, "policies") == 0 ? policies_text(row) : mem_strdup("");
        const char *text =
            strcmp(n->key, "quota") == 0 ? volume_size(quota, row, "quota") : n->text;

        if (!x->json && (text || *list))
            out_line(stdout, "%-21s %s", n->key, text ? text : list);
    }
    return 0;
}

const struct cmd cmd_pool_list = {
    .help = {.name = "pool list", .summary = "the pools that hold volumes", .group = "Volumes"},
    .needs = ENV_VOLUMES_NEEDS,
    .run = run_list,
};

const struct cmd cmd_pool_show = {
    .help = {.name = "pool show",
             .summary = "one pool, and what the storage has of it",
             .args = "POOL",
             .group = "Volumes"},
    .needs = ENV_VOLUMES_NEEDS,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_show,
};

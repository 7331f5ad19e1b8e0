/* SPDX-License-Identifier: MIT */
/* pool create, list, show, delete. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/out.h"
#include "cmd/volume_run.h"
#include "conf/json.h"
#include "engine/images.h"
#include "plan/connect.h"

enum { TEXT_MAX = 1 << 20, ASK_MS = 60000 };

static const struct volume_options no_options = {0};

static int put_pools(struct volume_run *r, const char *what, const struct strv *names,
                     struct err *e)
{
    struct volume_step s = {.what = what,
                            .target = r->maker->manifest->name,
                            .key = "pools",
                            .map = r->maps.pools,
                            .names = names,
                            .noun = "pool"};

    return volume_run_step(r, &s, e);
}

/* ---- create -----------------------------------------------------------------------------------
 */

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

/* What the storage has of a pool: the maker's hook `pool`, in one of its instances. */
static int ask_storage(struct node **out, const struct volume_run *r, const char *pool,
                       struct err *e)
{
    const char *const argv[] = {IMAGES_AGENT, "hook", "pool", pool, NULL};
    auto_buf struct buf text = {0}, errors = {0};
    struct engine_exec call = {
        .argv = argv, .out = &text, .err = &errors, .deadline = cmd_deadline(r->x, ASK_MS)};
    const struct node *c;
    int status;

    buf_init(&text, TEXT_MAX);
    buf_init(&errors, TEXT_MAX);
    node_for_each (c, r->x->containers) {
        const char *component = connect_label(c, LABEL_COMPONENT);

        if (!component || strcmp(component, r->maker->manifest->name) != 0 || connect_is_aside(c) ||
            !node_text_is(c, "State", "running"))
            continue;
        if (engine_exec_run(&status, r->x->engine, node_get_text(c, "Id"), &call, e) < 0)
            return -1;
        if (status != 0)
            return err_set(e, ERR_REMOTE, "%s: %.300s", connect_label(c, LABEL_INSTANCE),
                           buf_str(&errors));
        if (text.len == 0) { /* a maker without the hook */
            *out = node_new_map();
            return 0;
        }
        return json_parse(out, "the hook pool", buf_str(&text), text.len, e);
    }
    return err_set(e, ERR_NOTFOUND, "no instance of %s runs", r->maker->manifest->name);
}

/* Which policy it became, and why not the ones before it. */
static void say_policy(const struct volume_run *r, const char *pool)
{
    auto_node struct node *seen = NULL;
    struct err e;

    if (r->x->quiet || r->x->json || r->options->no_wait)
        return;
    if (ask_storage(&seen, r, pool, &e) < 0) {
        log_warn("which policy was taken could not be asked: %s", e.msg);
        return;
    }
    printf("%s: policy %s%s%s\n", pool, node_get_text(seen, "policy"),
           node_get_text(seen, "why") ? ", because " : "",
           node_get_text(seen, "why") ? node_get_text(seen, "why") : "");
}

static int run_create(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    struct create_options *o = opts;
    struct volume_run r;
    int result = volume_run_open(&r, x, &o->common, e);

    o->pool.policies = &o->policies;
    if (result == 0)
        result = volume_pool_create(&r.maps, operands->items[0], &o->pool, e);
    if (result == 0)
        result = put_pools(&r, "pool create", operands, e);
    if (result == 0)
        volume_run_say(&r, operands, "created");
    if (result == 0 && o->policies.count)
        say_policy(&r, operands->items[0]);
    volume_run_close(&r);
    strv_clear(&o->policies);
    return result;
}

const struct cmd cmd_pool_create = {
    .help =
        {.name = "pool create",
         .summary = "create a pool: replicated, erasure coded, or by a list of policies",
         .details =
             "A policy is k data and m coding parts (1+2: three copies), c of which must be "
             "there for I/O, and at most x of which are on one host. Of several the first is "
             "taken that the OSDs that are up can hold; when none can, nothing is made and it "
             "is said what each would need. k, m and x stay; c and compression may be changed "
             "(`slipway config set ceph-mgr pools.NAME...`). A pool with a k above 1 holds only "
             "the data of volumes: --data-pool.",
         .args = "POOL",
         .options = create_specs,
         .examples = create_examples,
         .group = "Volumes"},
    .options_size = sizeof(struct create_options),
    .needs = VOLUME_NEEDS,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_create,
};

/* ---- delete -----------------------------------------------------------------------------------
 */

struct delete_options {
    struct volume_options common;
};

static const struct opt_spec delete_specs[] = {
    VOLUME_OPTIONS(delete_options),
    {0},
};

static int delete (struct volume_run *r, const struct strv *operands, struct err *e)
{
    struct volume_step forget = {.what = "pool delete",
                                 .target = r->maker->manifest->name,
                                 .key = "pools",
                                 .names = operands,
                                 .no_wait = true};

    if (volume_pool_delete(&r->maps, operands->items[0], e) < 0 ||
        put_pools(r, "pool delete", operands, e) < 0)
        return -1;
    if (r->options->no_wait)
        return 0;
    if (volume_run_again(r, e) < 0)
        return -1;
    node_remove(r->maps.pools, operands->items[0]);
    forget.map = r->maps.pools;
    return volume_run_step(r, &forget, e);
}

static int run_delete(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct delete_options *o = opts;
    struct volume_run r;
    int result = volume_run_open(&r, x, &o->common, e);

    if (result == 0)
        result = delete (&r, operands, e);
    if (result == 0)
        volume_run_say(&r, operands, "deleted");
    volume_run_close(&r);
    return result;
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
    .needs = VOLUME_NEEDS,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_delete,
};

/* ---- list, show -------------------------------------------------------------------------------
 */

static struct node *row_of(const struct volume_run *r, const struct node *pool)
{
    struct node *n = node_copy(pool);
    const struct node *v;
    int64_t count = 0;

    node_set_text(n, "name", pool->key);
    if (!node_get_text(n, "kind"))
        node_set_text(n, "kind", "replicated");
    node_for_each (v, r->maps.volumes) {
        const char *own = node_get_text(v, "pool"), *data = node_get_text(v, "data_pool");

        count += strcmp(own ? own : VOLUME_POOL, pool->key) == 0 ||
                 (data && strcmp(data, pool->key) == 0);
    }
    node_set_int(n, "volumes", count);
    return n;
}

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
    auto_buf struct buf b;
    const struct node *n;

    buf_init(&b, TEXT_MAX);
    node_for_each (n, rows) {
        const char *k = node_get_text(n, "k"), *m = node_get_text(n, "m");

        out_table_add(t, node_get_text(n, "name"), OUT_BOLD);
        out_table_add(t, node_get_text(n, "kind"), OUT_PLAIN);
        if (node_get(n, "policies")) {
            auto_free char *list = policies_text(n);

            out_table_add(t, list, OUT_PLAIN);
        } else if (k && m)
            out_table_addf(t, OUT_PLAIN, "%s+%s", k, m);
        else
            out_table_add(t, node_get_text(n, "size"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "quota"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "volumes"), OUT_PLAIN);
    }
    out_table_format(&b, t, out_has_color(x, stdout));
    out_table_free(t);
    out_buf(&b);
}

static int run_list(struct cmd_context *x, void *options, const struct strv *operands,
                    struct err *e)
{
    struct volume_run r;
    auto_node struct node *rows = node_new_list();
    int result = volume_run_open(&r, x, &no_options, e);
    const struct node *p;

    (void)options;
    (void)operands;
    if (result == 0) {
        node_for_each (p, r.maps.pools) {
            if (p->kind == NODE_KIND_MAP && !node_get_bool(p, "absent", false))
                node_add(rows, row_of(&r, p));
        }
        if (x->json)
            out_json(rows);
        else
            print_list(x, rows);
    }
    volume_run_close(&r);
    return result;
}

/* The storage may be away: then it is what the configuration says. */
static void add_seen(struct node *row, const struct volume_run *r, const char *pool)
{
    auto_node struct node *seen = NULL;
    const struct node *n;
    struct err e;

    if (ask_storage(&seen, r, pool, &e) < 0) {
        log_warn("the storage could not be asked: %s", e.msg);
        return;
    }
    node_for_each (n, seen) {
        node_set(row, n->key, node_copy(n));
    }
}

static int run_show(struct cmd_context *x, void *options, const struct strv *operands,
                    struct err *e)
{
    struct volume_run r;
    struct node *pool = NULL;
    const struct node *n;
    int result = volume_run_open(&r, x, &no_options, e);

    (void)options;
    if (result == 0)
        result = volume_pool_find(&pool, &r.maps, operands->items[0], e);
    if (result == 0) {
        auto_node struct node *row = row_of(&r, pool);

        add_seen(row, &r, operands->items[0]);
        if (x->json)
            out_json(row);
        node_for_each (n, row) {
            auto_free char *list =
                strcmp(n->key, "policies") == 0 ? policies_text(row) : mem_strdup("");

            if (!x->json && (n->text || *list))
                printf("%-21s %s\n", n->key, n->text ? n->text : list);
        }
    }
    volume_run_close(&r);
    return result;
}

const struct cmd cmd_pool_list = {
    .help = {.name = "pool list", .summary = "the pools that hold volumes", .group = "Volumes"},
    .needs = VOLUME_NEEDS,
    .run = run_list,
};

const struct cmd cmd_pool_show = {
    .help = {.name = "pool show",
             .summary = "one pool, and what the storage has of it",
             .args = "POOL",
             .group = "Volumes"},
    .needs = VOLUME_NEEDS,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_show,
};

/* SPDX-License-Identifier: MIT */
/* Files and folders into instances and out of them. */
#include "env/copy.h"

#include "base/mem.h"
#include "cmd/out.h"
#include "env/tally.h"

static const struct opt_example examples[] = {
    {"slipway copy my.conf ceph-osd-1:/etc/my.conf", "a file into an instance"},
    {"slipway copy tools/ 'ceph-osd-*:/opt'", "a folder into many"},
    {"slipway copy ceph-mon-1:/var/log/ceph .", "and out of one"},
    {"slipway copy all:/etc/hosts hosts/", "out of all: hosts/INSTANCE/hosts"},
    {0},
};

static void add_row(struct out_table *t, const struct copy_result *r)
{
    bool well = r->error.code == ERR_NONE;

    out_table_add(t, r->instance, OUT_PLAIN);
    out_table_add(t, r->via, OUT_DIM);
    out_table_add(t, r->from, OUT_PLAIN);
    out_table_add(t, r->to, well ? OUT_GOOD : OUT_BAD);
    out_table_addf(t, OUT_PLAIN, "%llu", (unsigned long long)r->bytes);
    out_table_addf(t, OUT_PLAIN, "%.1f s", (double)r->took_ms / 1000.0);
    out_table_add(t, well ? NULL : r->error.msg, well ? OUT_DIM : OUT_BAD);
}

static void print_table(const struct cmd_context *x, const struct copy_results *all)
{
    static const char *const heads[] = {"INSTANCE", "VIA",  "FROM",  "TO",
                                        "BYTES",    "TIME", "ERROR", NULL};
    struct out_table *t = out_table_new(heads);

    for (size_t i = 0; i < all->count; i++)
        add_row(t, &all->items[i]);
    out_table_print(t, x);
}

static void print_json(const struct copy_results *all)
{
    auto_node struct node *n = node_new_map();
    struct node *rows = node_set(n, "results", node_new_list());

    for (size_t i = 0; i < all->count; i++) {
        const struct copy_result *r = &all->items[i];
        struct node *row = node_add(rows, node_new_map());

        node_set_text(row, "instance", r->instance);
        if (r->via)
            node_set_text(row, "via", r->via);
        node_set_text(row, "from", r->from);
        if (r->to)
            node_set_text(row, "to", r->to);
        node_set_bool(row, "ok", r->error.code == ERR_NONE);
        node_set_int(row, "bytes", (int64_t)r->bytes);
        node_set_int(row, "ms", r->took_ms);
        node_set_int(row, "left_out", (int64_t)r->left.count);
        struct node *names = node_set(row, "left_out_names", node_new_list());
        for (size_t k = 0; k < r->left.names.count; k++)
            node_add_text(names, r->left.names.items[k]);
        out_error(row, &r->error);
    }
    out_json(n);
}

/* On stderr, and for --quiet, too: what it says is not an error. */
static void print_left(const struct copy_results *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct copy_result *r = &all->items[i];
        auto_free char *names = strv_join(&r->left.names, ", ");

        if (r->left.count)
            out_line(stderr, "slipway: %s: %s: left out %zu that %s: %s%s", r->instance, r->from,
                     r->left.count,
                     r->left.count == 1 ? "is neither a file nor a folder"
                                        : "are neither files nor folders",
                     names, r->left.count > r->left.names.count ? ", ..." : "");
    }
}

static int summary(const struct cmd_context *x, const struct copy_results *all, struct err *e)
{
    const struct copy_result *only = &all->items[0];
    struct tally t = {0};

    if (all->count == 1 && only->error.code != ERR_NONE && !until_is_cancelled(x->env->until)) {
        *e = only->error;
        return err_wrap(e, "%s", only->instance);
    }
    for (size_t i = 0; i < all->count; i++)
        tally_add(&t, all->items[i].instance, all->items[i].error.code == ERR_NONE);
    return tally_result(&t, x->env, "interrupted", e);
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    auto_strv struct strv from = {0};
    struct copy_results all;
    int r;

    (void)opts;
    for (size_t i = 0; i + 1 < operands->count; i++)
        strv_add(&from, operands->items[i]);
    r = copy_run(&all, x->env, &from, operands->items[operands->count - 1], e);
    if (r == 0) {
        if (x->json)
            print_json(&all);
        else if (!x->quiet)
            print_table(x, &all);
        print_left(&all);
        r = summary(x, &all, e);
    }
    copy_results_clear(&all);
    return r;
}

const struct cmd cmd_copy = {
    .help =
        {.name = "copy",
         .summary = "copy files and folders into instances, or out of them",
         .args = "FROM... TO",
         .details =
             "One side is a path of this machine, the other SELECTOR:/PATH, with a selector as "
             "in slipway run; a path here that has a colon is written ./a:b. Names are as "
             "cp -r has them: into TO where that is a folder, else in its place. Out of several "
             "instances each gets a folder of its own in TO.\n\nVIA says which way it went: "
             "ssh (a file) and rsync (a folder) where sshd runs in the container (ssh: true), "
             "else docker, through the Engine API. Of a folder that comes out of a container only "
             "files and folders are taken, of one that goes in links, too. What is left out is "
             "named on stderr, and does not change the status. Each file is there whole or as it "
             "was before, also when a disk is full. Status 3 when some of several copies failed.",
         .examples = examples,
         .group = "Instances"},
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_SSH,
    .min_operands = 2,
    .max_operands = -1,
    .run = run,
};

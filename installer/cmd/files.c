/* SPDX-License-Identifier: MIT */
/* files: where everything of an environment lies on this machine. */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "cmd/out.h"
#include "env/files.h"

struct files_options {
    bool logs;
};

static const struct opt_spec options[] = {
    {"logs", 0, OPT_FLAG, NULL, "the files in which Docker keeps what instances print, too",
     offsetof(struct files_options, logs)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway files", "what to back up, and where the data lies"},
    {"slipway files --json | jq -r '.[] | select(.what == \"data\").path'", "for programs"},
    {0},
};

/* ---- the command ---- */

static void add_size(struct out_table *t, const struct node *n)
{
    int64_t bytes = node_get_int(n, "bytes", 0);

    if (!node_get_bool(n, "there", false))
        out_table_add(t, "missing", OUT_WARN);
    else if (!node_get(n, "bytes"))
        out_table_add(t, "folder", OUT_DIM);
    else if (bytes < 10 * 1024)
        out_table_addf(t, OUT_PLAIN, "%" PRId64 " B", bytes);
    else
        out_table_addf(t, OUT_PLAIN, "%" PRId64 " KiB", bytes >> 10);
}

static void print(const struct cmd_context *x, const struct node *list)
{
    static const char *const heads[] = {"WHAT", "OF", "SIZE", "PATH", NULL};
    struct out_table *t = out_table_new(heads);
    const struct node *n;

    node_for_each (n, list) {
        out_table_add(t, node_get_text(n, "what"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "of"), OUT_PLAIN);
        add_size(t, n);
        out_table_add(t, node_get_text(n, "path"), OUT_PLAIN);
    }
    out_table_print(t, x);
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct files_options *o = opts;
    auto_node struct node *list = node_new_list();

    (void)operands;
    if (env_files(list, x->env, o->logs, e) < 0)
        return -1;
    if (x->json)
        out_json(list);
    else
        print(x, list);
    return 0;
}

const struct cmd cmd_files = {
    .help = {.name = "files",
             .summary = "where an environment's key, document, data and programs lie",
             .details =
                 "key: all passwords derive from it; the one file to back up. document: the "
                 "operator's copy of what the environment was made from; that of etcd counts. "
                 "file: the one that `up` was given last. journal: there after a run that "
                 "was cut short. lock: whom another run on this machine waits for. links: of "
                 "instances with a read-only root. catalog, images, program: what components are "
                 "made from. data: the volumes. folder: what the host shares with an instance. "
                 "log: see --logs.\n\nWorks without Docker too, without data and folders then.",
             .options = options,
             .examples = examples,
             .group = "Environments"},
    .options_size = sizeof(struct files_options),
    .needs = ENV_NEEDS_NAME,
    .run = run,
};

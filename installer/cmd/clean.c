/* SPDX-License-Identifier: MIT */
/* clean: what is left over on this machine and nobody needs; data only when it is named. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/ask.h"
#include "cmd/out.h"
#include "env/clean.h"

enum { TEXT_MAX = 4 << 20, OLDER_DEFAULT_MS = 60 * 60 * 1000 };

struct clean_options {
    bool dry_run, yes;
    int64_t older_ms;
    struct strv volumes;
};

static const struct opt_spec options[] = {
    {"dry-run", 0, OPT_FLAG, NULL, "only show it", offsetof(struct clean_options, dry_run)},
    ASK_YES(clean_options),
    {"older", 0, OPT_DURATION, "TIME",
     "only images and files that were made longer ago (default 1h)",
     offsetof(struct clean_options, older_ms)},
    {"volume", 0, OPT_LIST, "NAME", "this volume and its data too, which no container may use",
     offsetof(struct clean_options, volumes)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway clean --dry-run", "what would go, and how much space that frees"},
    {"slipway clean --yes --older 7d", "for a timer: what is older than a week"},
    {"slipway clean --volume old-ceph-osd-1-data", "data that an environment left, by name"},
    {0},
};

/* ---- for people ---- */

static void add_size(struct out_table *t, const struct node *n)
{
    int64_t bytes = node_get_int(n, "bytes", -1);

    if (bytes < 0)
        out_table_add(t, NULL, OUT_DIM);
    else if (bytes < 1 << 20)
        out_table_addf(t, OUT_PLAIN, "%" PRId64 " KiB", (bytes + 1023) >> 10);
    else
        out_table_addf(t, OUT_PLAIN, "%" PRId64 " MiB", bytes >> 20);
}

static void format_items(struct buf *b, const struct cmd_context *x, const struct node *items,
                         FILE *where)
{
    static const char *const heads[] = {"KIND", "SIZE", "NAME", NULL};
    struct out_table *t = out_table_new(heads);
    const struct node *n;

    node_for_each (n, items) {
        bool data = node_text_is(n, "kind", "volume");

        out_table_add(t, node_get_text(n, "kind"), data ? OUT_WARN : OUT_PLAIN);
        add_size(t, n);
        out_table_add(t, node_get_text(n, "name"), OUT_PLAIN);
    }
    out_table_format(b, t, out_has_color(x, where));
    out_table_free(t);
}

static void format_kept(struct buf *b, const struct node *kept)
{
    const struct node *n;

    node_for_each (n, kept) {
        out_addf(b, "volume %s of %s is used by no container and keeps its data",
                 node_get_text(n, "name"), node_get_text(n, "of"));
        buf_putc(b, '\n');
    }
    if (kept->count)
        buf_puts(b, "(removed by `slipway clean --volume NAME` only)\n");
}

static int64_t total(const struct node *items, const char *only)
{
    const struct node *n;
    int64_t sum = 0;

    node_for_each (n, items) {
        if (!only || node_get_bool(n, only, false))
            sum += node_get_int(n, "bytes", 0);
    }
    return sum;
}

static int ask(const struct cmd_context *x, const struct clean_options *o, const struct node *items,
               struct err *e)
{
    auto_buf struct buf b = {0};

    buf_init(&b, TEXT_MAX);
    format_items(&b, x, items, stderr);
    buf_printf(&b, "Remove this, about %" PRId64 " MiB%s?", total(items, NULL) >> 20,
               o->volumes.count ? " and the data of the volumes" : "");
    return ask_before(buf_str(&b), o->yes, e);
}

/* ---- the command ---- */

static int check(const struct cmd_context *x, const void *opts, const struct strv *operands,
                 struct err *e)
{
    const struct clean_options *o = opts;

    (void)operands;
    (void)x; /* a volume's name has its environment in it */
    return o->volumes.count && !o->dry_run ? ask_may_lose("clean --volume", true, o->yes, e) : 0;
}

static void print(const struct cmd_context *x, const struct clean_options *o, struct node *items,
                  struct node *kept)
{
    auto_node struct node *all = node_new_map();
    auto_buf struct buf b = {0};
    const struct node *n;
    size_t removed = 0;

    node_for_each (n, items) {
        removed += node_get_bool(n, "removed", false);
    }
    buf_init(&b, TEXT_MAX);
    if (x->json) {
        node_set_bool(all, "dry_run", o->dry_run);
        node_set_int(all, "bytes", total(items, o->dry_run ? NULL : "removed"));
        node_set(all, "items", node_copy(items));
        node_set(all, "kept", node_copy(kept));
        out_json(all);
        return;
    }
    if (o->dry_run && items->count)
        format_items(&b, x, items, stdout);
    format_kept(&b, kept);
    if (items->count == 0)
        buf_puts(&b, "nothing to clean\n");
    else if (o->dry_run)
        buf_printf(&b, "%zu would be removed, about %" PRId64 " MiB\n", items->count,
                   total(items, NULL) >> 20);
    else
        buf_printf(&b, "%zu removed, about %" PRId64 " MiB\n", removed,
                   total(items, "removed") >> 20);
    out_buf(&b);
}

static void temp_dirs(struct strv *out)
{
    const char *const dirs[] = {"/run/lock", "/tmp", getenv("TMPDIR"), getenv("XDG_RUNTIME_DIR")};

    for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
        if (dirs[i] && *dirs[i] && !strv_has(out, dirs[i]))
            strv_add(out, dirs[i]);
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    struct clean_options *o = opts;
    auto_strv struct strv dirs = {0};
    struct env_clean what = {.before = (clock_wall_ms() - o->older_ms) / 1000,
                             .volumes = &o->volumes,
                             .temp_dirs = &dirs};
    struct env_leftovers l;
    bool show;
    int r;

    (void)operands;
    if (!o->older_ms)
        what.before -= OLDER_DEFAULT_MS / 1000;
    temp_dirs(&dirs);
    r = env_clean_find(&l, x->env, &what, e);
    show = r == 0;
    if (r == 0 && !o->dry_run && l.items->count) {
        r = ask(x, o, l.items, e);
        show = r == 0;
        if (r == 0)
            r = env_clean(x->env, l.items, e); /* what it did is shown whatever came of the rest */
    }
    if (show)
        print(x, o, l.items, l.kept);
    env_leftovers_clear(&l);
    strv_clear(&o->volumes);
    return r;
}

const struct cmd cmd_clean = {
    .help = {.name = "clean",
             .summary = "remove what no environment needs any more; data only by name",
             .details =
                 "Images that Slipway built, that no container on this Docker uses, running or "
                 "not, and that the catalog would not use now (name another one with --catalog); "
                 "locks, keys and texts that killed runs left; folders and journals of "
                 "environments that are gone. On a terminal it shows what, and about how much "
                 "space, and asks.\n\nVolumes are listed and kept, because they hold data: "
                 "--volume names one that goes. What an environment itself does not need any more "
                 "`slipway up` removes.",
             .options = options,
             .examples = examples,
             .group = "Environments"},
    .options_size = sizeof(struct clean_options),
    .needs = ENV_NEEDS_WHOLE_CATALOG | ENV_NEEDS_ENGINE,
    .check = check,
    .run = run,
};

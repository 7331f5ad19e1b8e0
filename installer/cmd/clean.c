/* SPDX-License-Identifier: MIT */
/* clean: what is left over on this machine and nobody needs; data only when it is named. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"
#include "cmd/clean_files.h"
#include "cmd/clean_images.h"
#include "cmd/out.h"
#include "plan/connect.h"

enum { TEXT_MAX = 4 << 20, OLDER_DEFAULT_MS = 60 * 60 * 1000 };

struct clean_options {
    bool dry_run, yes;
    int64_t older_ms;
    struct strv volumes;
};

static const struct opt_spec options[] = {
    {"dry-run", 0, OPT_FLAG, NULL, "only show it", offsetof(struct clean_options, dry_run)},
    {"yes", 'y', OPT_FLAG, NULL, "do not ask", offsetof(struct clean_options, yes)},
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

/* ---- volumes: {"kind":"volume","name","of","why"} -----------------------------------------------
 */

/* A container that mounts it, by name; NULL when there is none. */
static const char *user_of(const struct node *containers, const char *volume)
{
    const struct node *c, *m;

    node_for_each (c, containers) {
        const struct node *mounts = node_get(c, "Mounts"), *names = node_get(c, "Names");

        node_for_each (m, mounts) {
            if (node_text_is(m, "Name", volume))
                return names && names->count ? names->items[0]->text + 1 : "?";
        }
    }
    return NULL;
}

static struct node *volume_item(const struct node *v, const char *why)
{
    struct node *n = node_new_map();
    const char *env = connect_label(v, LABEL_NAME);

    node_set_text(n, "kind", "volume");
    node_set_text(n, "name", node_get_text(v, "Name"));
    node_set_text(n, "of", env ? env : "?");
    node_set_text(n, "why", why);
    return n;
}

/* Named ones to `items`, all others that nobody uses to `kept`. */
static int find_volumes(struct node *items, struct node *kept, struct cmd_context *x,
                        const struct clean_options *o, const struct node *containers, struct err *e)
{
    auto_node struct node *volumes = NULL;
    auto_strv struct strv known = {0};
    const struct node *v;

    if (engine_volume_list(&volumes, x->engine, LABEL_ENV, e) < 0)
        return -1;
    node_for_each (v, volumes) {
        const char *name = node_get_text(v, "Name"), *user = user_of(containers, name);
        bool named = strv_has(&o->volumes, name);

        strv_add(&known, name);
        if (named && user)
            return err_set(e, ERR_CONFLICT, "volume %s is used by %s; nothing was removed", name,
                           user);
        if (named)
            node_add(items, volume_item(v, "named: its data goes"));
        else if (!user)
            node_add(kept, volume_item(v, "it holds data"));
    }
    for (size_t i = 0; i < o->volumes.count; i++) {
        const char *near = strv_nearest(&known, o->volumes.items[i]);

        if (!strv_has(&known, o->volumes.items[i]))
            return err_set(e, ERR_NOTFOUND, "no environment made a volume %s%s%s%s",
                           o->volumes.items[i], near ? " (did you mean " : "", near ? near : "",
                           near ? "?)" : "");
    }
    return 0;
}

/* ---- for people --------------------------------------------------------------------------------
 */

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
        buf_printf(b, "volume %s of %s is used by no container and keeps its data\n",
                   node_get_text(n, "name"), node_get_text(n, "of"));
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

/* ---- removing ----------------------------------------------------------------------------------
 */

static int remove_image(struct engine *g, const struct node *n, struct err *e)
{
    const struct node *tags = node_get(n, "tags"), *t;

    node_for_each (t, tags) {
        if (engine_image_remove(g, t->text, e) < 0)
            return -1;
    }
    return tags->count ? 0 : engine_image_remove(g, node_get_text(n, "id"), e);
}

static int remove_item(struct cmd_context *x, const struct node *n, struct err *e)
{
    const char *name = node_get_text(n, "name");

    if (node_text_is(n, "kind", "image"))
        return remove_image(x->engine, n, e);
    if (node_text_is(n, "kind", "volume"))
        return engine_volume_remove(x->engine, name, e);
    return fs_remove_tree(name, e);
}

/* What somebody has begun to use meanwhile stays, and is no failure. */
static int remove_all(struct cmd_context *x, struct node *items, struct err *e)
{
    size_t failed = 0, done = 0;

    for (size_t i = 0; i < items->count; i++) {
        struct node *n = items->items[i];
        struct err why;

        if (sig_interrupts())
            return err_set(e, done ? ERR_PARTIAL : ERR_INTERRUPTED,
                           "interrupted; %zu of %zu were removed", done, items->count);
        if (remove_item(x, n, &why) == 0) {
            node_set_bool(n, "removed", true);
            done++;
            continue;
        }
        node_set_text(n, "error", why.msg);
        if (why.code == ERR_CONFLICT && !node_text_is(n, "kind", "volume"))
            log_info("%s stays: %s", node_get_text(n, "name"), why.msg);
        else if (failed++ == 0)
            *e = why;
    }
    if (failed && done)
        e->code = ERR_PARTIAL;
    return failed ? -1 : 0;
}

static int ask(const struct cmd_context *x, const struct clean_options *o, const struct node *items,
               struct err *e)
{
    auto_buf struct buf b = {0};
    char answer[16] = "";

    if (o->yes || !isatty(STDIN_FILENO))
        return 0;
    buf_init(&b, TEXT_MAX);
    format_items(&b, x, items, stderr);
    fprintf(stderr, "%sRemove this, about %" PRId64 " MiB%s? [y/N] ", buf_str(&b),
            total(items, NULL) >> 20, o->volumes.count ? " and the data of the volumes" : "");
    if (!out_ask(answer, sizeof(answer)) || (answer[0] != 'y' && answer[0] != 'Y'))
        return err_set(e, ERR_INTERRUPTED, "nothing was removed");
    return 0;
}

/* ---- the command -------------------------------------------------------------------------------
 */

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

static int find(struct node *items, struct node *kept, struct cmd_context *x,
                const struct clean_options *o, struct err *e)
{
    int64_t older = o->older_ms ? o->older_ms : OLDER_DEFAULT_MS;
    int64_t before = (clock_wall_ms() - older) / 1000;
    auto_node struct node *containers = NULL;

    if (clean_images_find(items, x, before, e) < 0 ||
        engine_container_list(&containers, x->engine, NULL, e) < 0)
        return -1;
    clean_files_find(items, containers, before);
    return find_volumes(items, kept, x, o, containers, e);
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    struct clean_options *o = opts;
    auto_node struct node *items = node_new_list(), *kept = node_new_list();
    int r = find(items, kept, x, o, e);

    (void)operands;
    if (r == 0 && !o->dry_run && items->count) {
        r = ask(x, o, items, e);
        if (r == 0)
            r = remove_all(x, items, e);
    }
    if (r == 0 || e->code == ERR_PARTIAL)
        print(x, o, items, kept);
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
    .needs = CMD_NEEDS_CATALOG | CMD_NEEDS_ENGINE,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/* volume snapshot, rollback, template. */
#include <string.h>

#include "base/mem.h"
#include "cmd/volume_run.h"

struct snapshot_options {
    struct volume_options common;
    bool remove;
};

static const struct opt_spec snapshot_specs[] = {
    {"delete", 'd', OPT_FLAG, NULL, "delete the snapshot",
     offsetof(struct snapshot_options, remove)},
    VOLUME_OPTIONS(snapshot_options),
    {0},
};

static const struct opt_spec plain_specs[] = {
    VOLUME_OPTIONS(snapshot_options),
    {0},
};

enum change { CHANGE_SNAPSHOT, CHANGE_SNAPSHOT_DELETE, CHANGE_ROLLBACK, CHANGE_TEMPLATE };
static const struct {
    const char *what, *done;
} texts[] = {[CHANGE_SNAPSHOT] = {"volume snapshot", "snapshot taken"},
             [CHANGE_SNAPSHOT_DELETE] = {"volume snapshot", "snapshot deleted"},
             [CHANGE_ROLLBACK] = {"volume rollback", "back at the snapshot"},
             [CHANGE_TEMPLATE] = {"volume template", "is a template"}};

/* Which of all snapshots of that name it is: one that was made once and is gone is never made
 * again, with what the volume holds by then. */
static void stamp(struct volume_run *r, const char *name, const char *point)
{
    struct node *snapshots = node_get(node_get(r->maps.volumes, name), "snapshots");

    node_set_int(node_get(snapshots, point), "created", r->state.mod_revision);
}

static int change(struct volume_run *r, enum change c, const struct strv *operands, struct err *e)
{
    const char *name = operands->items[0];
    const char *point = operands->count > 1 ? operands->items[1] : NULL;
    struct strv points = {.items = operands->items + 1, .count = operands->count - 1};

    switch (c) {
    case CHANGE_SNAPSHOT_DELETE:
        return volume_snapshot_all(&r->maps, name, &points, true, e);
    case CHANGE_SNAPSHOT:
        if (volume_snapshot_all(&r->maps, name, &points, false, e) < 0)
            return -1;
        for (size_t i = 0; i < points.count; i++)
            stamp(r, name, points.items[i]);
        return 0;
    case CHANGE_ROLLBACK:
        return volume_rollback(&r->maps, name, point, r->state.mod_revision, e);
    case CHANGE_TEMPLATE:
        break;
    }
    if (volume_template(&r->maps, name, e) < 0)
        return -1;
    stamp(r, name, VOLUME_TEMPLATE);
    return 0;
}

static int run_one(struct cmd_context *x, const struct volume_options *o, enum change c,
                   const struct strv *operands, struct err *e)
{
    struct strv names = {.items = operands->items, .count = 1};
    struct volume_run r;
    int result = volume_run_open(&r, x, o, e);

    if (result == 0)
        result = change(&r, c, operands, e);
    if (result == 0)
        result = volume_run_put(&r, texts[c].what, &names, true, e);
    /* The mark of what is gone is left in no document. */
    if (result == 0 && c == CHANGE_SNAPSHOT_DELETE && !o->no_wait) {
        result = volume_run_again(&r, e);
        if (result == 0) {
            volume_forget(&r.maps, operands->items[0]);
            result = volume_run_put(&r, texts[c].what, &names, false, e);
        }
    }
    if (result == 0)
        volume_run_say(&r, &names, texts[c].done);
    volume_run_close(&r);
    return result;
}

static int run_snapshot(struct cmd_context *x, void *opts, const struct strv *operands,
                        struct err *e)
{
    const struct snapshot_options *o = opts;

    return run_one(x, &o->common, o->remove ? CHANGE_SNAPSHOT_DELETE : CHANGE_SNAPSHOT, operands,
                   e);
}

static int run_rollback(struct cmd_context *x, void *opts, const struct strv *operands,
                        struct err *e)
{
    const struct snapshot_options *o = opts;

    return run_one(x, &o->common, CHANGE_ROLLBACK, operands, e);
}

static int run_template(struct cmd_context *x, void *opts, const struct strv *operands,
                        struct err *e)
{
    const struct snapshot_options *o = opts;

    return run_one(x, &o->common, CHANGE_TEMPLATE, operands, e);
}

const struct cmd cmd_volume_snapshot = {
    .help = {.name = "volume snapshot",
             .summary = "keep a volume as it is now under a name",
             .args = "VOLUME SNAPSHOT...",
             .details = "While a volume is in use, its snapshot holds what was written and "
                        "flushed, like a disk whose plug was pulled. Deleting a snapshot that has "
                        "clones is refused. Several are made or deleted much faster by one command "
                        "than by one each.",
             .options = snapshot_specs,
             .group = "Volumes"},
    .options_size = sizeof(struct snapshot_options),
    .needs = VOLUME_NEEDS,
    .min_operands = 2,
    .max_operands = -1,
    .run = run_snapshot,
};

const struct cmd cmd_volume_rollback = {
    .help = {.name = "volume rollback",
             .summary = "take a volume back to a snapshot; what came after is lost",
             .args = "VOLUME SNAPSHOT",
             .details = "Refused while the volume is attached.",
             .options = plain_specs,
             .group = "Volumes"},
    .options_size = sizeof(struct snapshot_options),
    .needs = VOLUME_NEEDS,
    .min_operands = 2,
    .max_operands = 2,
    .run = run_rollback,
};

const struct cmd cmd_volume_template = {
    .help = {.name = "volume template",
             .summary = "make a volume a template: copied from, never written again",
             .args = "VOLUME",
             .options = plain_specs,
             .group = "Volumes"},
    .options_size = sizeof(struct snapshot_options),
    .needs = VOLUME_NEEDS,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_template,
};

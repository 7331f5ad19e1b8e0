/* SPDX-License-Identifier: MIT */
/* volume snapshot, rollback, template. */
#include "base/clock.h"
#include "base/mem.h"
#include "cmd/volume_common.h"

struct snapshot_options {
    struct volume_options common;
    bool remove, yes, cancel;
};

static const struct opt_spec snapshot_specs[] = {
    {"delete", 'd', OPT_FLAG, NULL, "delete the snapshot",
     offsetof(struct snapshot_options, remove)},
    ASK_YES(snapshot_options),
    VOLUME_OPTIONS(snapshot_options),
    {0},
};

static const struct opt_spec rollback_specs[] = {
    {"cancel", 0, OPT_FLAG, NULL, "take back one that was ordered and not answered",
     offsetof(struct snapshot_options, cancel)},
    ASK_YES(snapshot_options),
    VOLUME_OPTIONS(snapshot_options),
    {0},
};

static const struct opt_spec template_specs[] = {
    VOLUME_OPTIONS(snapshot_options),
    {0},
};

static int check_snapshot(const struct cmd_context *x, const void *opts,
                          const struct strv *operands, struct err *e)
{
    const struct snapshot_options *o = opts;

    (void)operands;
    (void)x; /* a volume is named */
    return o->remove ? ask_may_lose("volume snapshot --delete", true, o->yes, e) : 0;
}

static int run_snapshot(struct cmd_context *x, void *opts, const struct strv *operands,
                        struct err *e)
{
    const struct snapshot_options *o = opts;
    const struct strv name = {.items = operands->items, .count = 1};
    const struct strv snapshots = {.items = operands->items + 1, .count = operands->count - 1};
    struct volume_said said = {&name, o->remove ? "snapshot deleted" : "snapshot taken", &o->common,
                               clock_now_ms()};
    auto_free char *list = strv_join(&snapshots, ", ");
    auto_free char *question =
        mem_printf("Delete %s, kept of volume %s of %s?", list, operands->items[0], cmd_place(x));

    if (o->remove && ask_before(question, o->yes, e) < 0)
        return -1;
    if ((x->remote ? (o->remove ? remote_volume_snapshot_delete : remote_volume_snapshot)(
                         x->remote, operands->items[0], &snapshots, &o->common, e)
                   : (o->remove ? env_volume_snapshot_delete : env_volume_snapshot)(
                         x->env, operands->items[0], &snapshots, &o->common, e)) < 0)
        return -1;
    volume_say(x, &said);
    return 0;
}

static int check_rollback(const struct cmd_context *x, const void *opts,
                          const struct strv *operands, struct err *e)
{
    const struct snapshot_options *o = opts;

    (void)x;
    if (o->cancel && operands->count > 1)
        return err_set(e, ERR_USAGE, "volume rollback --cancel takes one operand: the volume");
    if (!o->cancel && operands->count < 2)
        return err_set(e, ERR_USAGE, "volume rollback takes a volume and one of its snapshots");
    return o->cancel ? 0 : ask_may_lose("volume rollback", true, o->yes, e);
}

static int cancel_rollback(struct cmd_context *x, struct snapshot_options *o,
                           const struct strv *operands, struct err *e)
{
    auto_strv struct strv already = {0};
    struct volume_said said = {operands, "not going back", &o->common, clock_now_ms()};

    o->common.already = &already;
    if (x->remote)
        return err_set(e, ERR_USAGE, "volume rollback --cancel does not work with --server");
    if (env_volume_rollback_cancel(x->env, operands->items[0], &o->common, e) < 0)
        return -1;
    volume_say(x, &said);
    return 0;
}

static int run_rollback(struct cmd_context *x, void *opts, const struct strv *operands,
                        struct err *e)
{
    struct snapshot_options *o = opts;
    const struct strv name = {.items = operands->items, .count = 1};
    struct volume_said said = {&name, "back at the snapshot", &o->common, clock_now_ms()};
    auto_free char *question = NULL;

    if (o->cancel)
        return cancel_rollback(x, o, operands, e);
    question = mem_printf("Take volume %s of %s back to %s, and lose what came after?",
                          operands->items[0], cmd_place(x), operands->items[1]);
    if (ask_before(question, o->yes, e) < 0)
        return -1;
    if ((x->remote ? remote_volume_rollback(x->remote, operands->items[0], operands->items[1],
                                            &o->common, e)
                   : env_volume_rollback(x->env, operands->items[0], operands->items[1], &o->common,
                                         e)) < 0)
        return -1;
    volume_say(x, &said);
    return 0;
}

static int run_template(struct cmd_context *x, void *opts, const struct strv *operands,
                        struct err *e)
{
    struct snapshot_options *o = opts;
    auto_strv struct strv already = {0};
    struct volume_said said = {operands, "a template", &o->common, clock_now_ms()};

    o->common.already = &already;
    if ((x->remote ? remote_volume_template(x->remote, operands->items[0], &o->common, e)
                   : env_volume_template(x->env, operands->items[0], &o->common, e)) < 0)
        return -1;
    volume_say(x, &said);
    return 0;
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
    .needs = ENV_VOLUMES_NEEDS,
    .server = true,
    .min_operands = 2,
    .max_operands = -1,
    .check = check_snapshot,
    .run = run_snapshot,
};

const struct cmd cmd_volume_rollback = {
    .help = {.name = "volume rollback",
             .summary = "take a volume back to a snapshot; what came after is lost",
             .args = "VOLUME [SNAPSHOT]",
             .details =
                 "Refused while the volume is attached. Without an answer (--no-wait, or the "
                 "command was killed) nobody gets the volume until the same command is "
                 "run again, or --cancel takes the order back.",
             .options = rollback_specs,
             .group = "Volumes"},
    .options_size = sizeof(struct snapshot_options),
    .needs = ENV_VOLUMES_NEEDS,
    .server = true,
    .min_operands = 1,
    .max_operands = 2,
    .check = check_rollback,
    .run = run_rollback,
};

const struct cmd cmd_volume_template = {
    .help = {.name = "volume template",
             .summary = "make a volume a template: copied from, never written again",
             .args = "VOLUME",
             .options = template_specs,
             .group = "Volumes"},
    .options_size = sizeof(struct snapshot_options),
    .needs = ENV_VOLUMES_NEEDS,
    .server = true,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_template,
};

/* SPDX-License-Identifier: MIT */
/* volume attach, detach, move. */
#include "base/clock.h"
#include "cmd/volume_common.h"

/* ---- attach ---- */

struct attach_options {
    struct volume_options common;
    const char *to;
    bool read_only;
};

static const struct opt_spec attach_specs[] = {
    {"to", 0, OPT_STRING, "DRIVER", "qemu, volumedriver-qemu or volumedriver-qemu-1",
     offsetof(struct attach_options, to)},
    {"read-only", 0, OPT_FLAG, NULL, "for reading; several may, when nobody writes",
     offsetof(struct attach_options, read_only)},
    VOLUME_OPTIONS(attach_options),
    {0},
};

static const struct opt_example attach_examples[] = {
    {"slipway volume attach disk --to qemu", "`slipway volume show disk` says how to use it"},
    {0},
};

static int run_attach(struct cmd_context *x, void *opts, const struct strv *names, struct err *e)
{
    struct attach_options *o = opts;
    auto_strv struct strv already = {0};
    struct volume_attach_opts a = {.to = o->to, .read_only = o->read_only};
    struct volume_said said = {names, "attached", &o->common, clock_now_ms()};

    o->common.already = &already;
    if ((x->remote ? remote_volume_attach(x->remote, names, &a, &o->common, e)
                   : env_volume_attach(x->env, names, &a, &o->common, e)) < 0)
        return -1;
    volume_say(x, &said);
    return 0;
}

const struct cmd cmd_volume_attach = {
    .help = {.name = "volume attach",
             .summary = "have a driver serve volumes",
             .args = "VOLUME...",
             .details = "A volume has one writer: attaching it to a second driver is refused; "
                        "`slipway volume move VOLUME` hands it over.",
             .options = attach_specs,
             .examples = attach_examples,
             .group = "Volumes"},
    .options_size = sizeof(struct attach_options),
    .needs = ENV_VOLUMES_NEEDS,
    .server = true,
    .min_operands = 1,
    .max_operands = -1,
    .run = run_attach,
};

/* ---- detach ---- */

struct detach_options {
    struct volume_options common;
    const char *from;
    bool force;
};

static const struct opt_spec detach_specs[] = {
    {"from", 0, OPT_STRING, "INSTANCE", "the instance, when several serve it",
     offsetof(struct detach_options, from)},
    {"force", 0, OPT_FLAG, NULL,
     "although it is in use, and without waiting for a driver that is dead",
     offsetof(struct detach_options, force)},
    VOLUME_OPTIONS(detach_options),
    {0},
};

static int run_detach(struct cmd_context *x, void *opts, const struct strv *names, struct err *e)
{
    struct detach_options *o = opts;
    auto_strv struct strv already = {0};
    struct volume_detach_opts d = {.from = o->from, .force = o->force};
    struct volume_said said = {names, "detached", &o->common, clock_now_ms()};

    o->common.already = &already;
    if ((x->remote ? remote_volume_detach(x->remote, names, &d, &o->common, e)
                   : env_volume_detach(x->env, names, &d, &o->common, e)) < 0)
        return -1;
    volume_say(x, &said);
    return 0;
}

const struct cmd cmd_volume_detach = {
    .help = {.name = "volume detach",
             .summary = "have a driver serve volumes no longer",
             .args = "VOLUME...",
             .options = detach_specs,
             .group = "Volumes"},
    .options_size = sizeof(struct detach_options),
    .needs = ENV_VOLUMES_NEEDS,
    .server = true,
    .min_operands = 1,
    .max_operands = -1,
    .run = run_detach,
};

/* ---- move ---- */

struct move_options {
    struct volume_options common;
    const char *to, *from;
    bool force;
};

static const struct opt_spec move_specs[] = {
    {"to", 0, OPT_STRING, "DRIVER", "the driver that serves it from now on",
     offsetof(struct move_options, to)},
    {"from", 0, OPT_STRING, "INSTANCE", "the instance, when several serve it",
     offsetof(struct move_options, from)},
    {"force", 0, OPT_FLAG, NULL,
     "the old driver is dead: it is cut off, and not waited for; not one byte of it arrives later",
     offsetof(struct move_options, force)},
    VOLUME_OPTIONS(move_options),
    {0},
};

static const struct opt_example move_examples[] = {
    {"slipway volume move disk --to iscsi", "its old driver lets go of it first"},
    {"slipway volume move disk --to volumedriver-qemu-2 --force",
     "its old driver died; it is fenced"},
    {0},
};

static int run_move(struct cmd_context *x, void *opts, const struct strv *names, struct err *e)
{
    struct move_options *o = opts;
    auto_strv struct strv already = {0};
    struct volume_move_opts m = {.to = o->to, .from = o->from, .force = o->force};
    struct volume_said said = {names, "moved", &o->common, clock_now_ms()};

    o->common.already = &already;
    if ((x->remote ? remote_volume_move(x->remote, names->items[0], &m, &o->common, e)
                   : env_volume_move(x->env, names->items[0], &m, &o->common, e)) < 0)
        return -1;
    volume_say(x, &said);
    return 0;
}

const struct cmd cmd_volume_move = {
    .help = {.name = "volume move",
             .summary = "hand a volume over to another driver, never with two writers",
             .args = "VOLUME",
             .options = move_specs,
             .examples = move_examples,
             .group = "Volumes"},
    .options_size = sizeof(struct move_options),
    .needs = ENV_VOLUMES_NEEDS,
    .server = true,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_move,
};

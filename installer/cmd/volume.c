/* SPDX-License-Identifier: MIT */
/* volume create, clone, resize, delete. */
#include "base/clock.h"
#include "base/mem.h"
#include "cmd/volume_common.h"

struct create_options {
    struct volume_options common;
    const char *size, *pool, *data_pool, *from, *attach;
};

static const struct opt_spec create_specs[] = {
    {"size", 's', OPT_STRING, "SIZE", "1MiB to 64TiB; it takes the space that is written",
     offsetof(struct create_options, size)},
    {"pool", 'p', OPT_STRING, "POOL", "where it goes (default: volumes)",
     offsetof(struct create_options, pool)},
    {"data-pool", 0, OPT_STRING, "POOL", "where its data goes, erasure coded for example",
     offsetof(struct create_options, data_pool)},
    {"from", 0, OPT_STRING, "TEMPLATE", "a copy of a template, or of VOLUME@SNAPSHOT",
     offsetof(struct create_options, from)},
    {"attach", 0, OPT_STRING, "DRIVER", "attach it to this driver then",
     offsetof(struct create_options, attach)},
    VOLUME_OPTIONS(create_options),
    {0},
};

static const struct opt_example create_examples[] = {
    {"slipway volume create disk --size 10GiB", "a volume, thin"},
    {"slipway volume create a b c --size 1GiB --attach qemu", "three, each attached at once"},
    {"slipway volume create web --from debian", "a copy of the template debian"},
    {0},
};

static int run_create(struct cmd_context *x, void *opts, const struct strv *names, struct err *e)
{
    struct create_options *o = opts;
    auto_strv struct strv already = {0}, partly = {0};
    struct volume_new n = {
        .size = o->size, .pool = o->pool, .data_pool = o->data_pool, .from = o->from};
    struct volume_said said = {names, o->attach ? "created and attached" : "created", &o->common,
                               clock_now_ms()};

    o->common.already = &already;
    o->common.partly = &partly;
    said.partly = "already created, attached";
    if ((x->remote ? remote_volume_create(x->remote, names, &n, o->attach, &o->common, e)
                   : env_volume_create(x->env, names, &n, o->attach, &o->common, e)) < 0)
        return -1;
    volume_say(x, &said);
    return 0;
}

const struct cmd cmd_volume_create = {
    .help = {.name = "volume create",
             .summary = "create volumes: thin, up to 64 TiB",
             .args = "VOLUME...",
             .details = "Ends when the volume is there, or says why it cannot be; then nothing is "
                        "left of the attempt.",
             .options = create_specs,
             .examples = create_examples,
             .group = "Volumes"},
    .options_size = sizeof(struct create_options),
    .needs = ENV_VOLUMES_NEEDS,
    .server = true,
    .min_operands = 1,
    .max_operands = -1,
    .run = run_create,
};

/* ---- clone ---- */

static int run_clone(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    struct create_options *o = opts;
    struct strv names = {.items = operands->items + 1, .count = operands->count - 1};

    o->from = operands->items[0];
    return run_create(x, o, &names, e);
}

static const struct opt_spec clone_specs[] = {
    {"size", 's', OPT_STRING, "SIZE", "at least that of the snapshot, which is the default",
     offsetof(struct create_options, size)},
    {"pool", 'p', OPT_STRING, "POOL", "where it goes (default: beside what it is a copy of)",
     offsetof(struct create_options, pool)},
    {"data-pool", 0, OPT_STRING, "POOL", "where its data goes",
     offsetof(struct create_options, data_pool)},
    {"attach", 0, OPT_STRING, "DRIVER", "attach it to this driver then",
     offsetof(struct create_options, attach)},
    VOLUME_OPTIONS(create_options),
    {0},
};

const struct cmd cmd_volume_clone = {
    .help = {.name = "volume clone",
             .summary = "create volumes from a snapshot or a template, sharing its data",
             .args = "VOLUME[@SNAPSHOT] NEW...",
             .options = clone_specs,
             .group = "Volumes"},
    .options_size = sizeof(struct create_options),
    .needs = ENV_VOLUMES_NEEDS,
    .server = true,
    .min_operands = 2,
    .max_operands = -1,
    .run = run_clone,
};

/* ---- resize ---- */

struct force_options {
    struct volume_options common;
    bool force, yes;
};

static const struct opt_spec resize_specs[] = {
    {"force", 0, OPT_FLAG, NULL, "smaller too: what is behind the new end is lost",
     offsetof(struct force_options, force)},
    ASK_YES(force_options),
    VOLUME_OPTIONS(force_options),
    {0},
};

static int check_resize(const struct cmd_context *x, const void *opts, const struct strv *operands,
                        struct err *e)
{
    const struct force_options *o = opts;

    (void)operands;
    (void)x; /* a volume is named */
    return o->force ? ask_may_lose("volume resize --force", true, o->yes, e) : 0;
}

static int run_resize(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct force_options *o = opts;
    const struct strv name = {.items = operands->items, .count = 1};
    struct volume_said said = {&name, "resized", &o->common, clock_now_ms()};
    auto_free char *question =
        mem_printf("Make volume %s of %s %s large, and lose what is behind that?",
                   operands->items[0], cmd_place(x), operands->items[1]);

    if (o->force && ask_before(question, o->yes, e) < 0)
        return -1;
    if ((x->remote ? remote_volume_resize(x->remote, operands->items[0], operands->items[1],
                                          o->force, &o->common, e)
                   : env_volume_resize(x->env, operands->items[0], operands->items[1], o->force,
                                       &o->common, e)) < 0)
        return -1;
    volume_say(x, &said);
    return 0;
}

const struct cmd cmd_volume_resize = {
    .help = {.name = "volume resize",
             .summary = "make a volume larger, while it is in use too",
             .args = "VOLUME SIZE",
             .options = resize_specs,
             .group = "Volumes"},
    .options_size = sizeof(struct force_options),
    .needs = ENV_VOLUMES_NEEDS,
    .server = true,
    .min_operands = 2,
    .max_operands = 2,
    .check = check_resize,
    .run = run_resize,
};

/* ---- delete ---- */

static const struct opt_spec delete_specs[] = {
    {"force", 0, OPT_FLAG, NULL, "its snapshots too", offsetof(struct force_options, force)},
    ASK_YES(force_options),
    VOLUME_OPTIONS(force_options),
    {0},
};

static int check_delete(const struct cmd_context *x, const void *opts, const struct strv *operands,
                        struct err *e)
{
    const struct force_options *o = opts;

    (void)operands;
    (void)x;
    return ask_may_lose("volume delete", true, o->yes, e);
}

static int run_delete(struct cmd_context *x, void *opts, const struct strv *names, struct err *e)
{
    const struct force_options *o = opts;
    struct volume_said said = {names, "deleted", &o->common, clock_now_ms()};
    auto_free char *list = strv_join(names, ", ");
    auto_free char *question = mem_printf("Delete %s of %s, with all data%s?", list, cmd_place(x),
                                          o->force ? " and all snapshots" : "");

    if (ask_before(question, o->yes, e) < 0)
        return -1;
    if ((x->remote ? remote_volume_delete(x->remote, names, o->force, &o->common, e)
                   : env_volume_delete(x->env, names, o->force, &o->common, e)) < 0)
        return -1;
    volume_say(x, &said);
    return 0;
}

const struct cmd cmd_volume_delete = {
    .help = {.name = "volume delete",
             .summary = "delete volumes and their data",
             .args = "VOLUME...",
             .details = "Refused while a volume is attached, has clones, or has snapshots.",
             .options = delete_specs,
             .group = "Volumes"},
    .options_size = sizeof(struct force_options),
    .needs = ENV_VOLUMES_NEEDS,
    .server = true,
    .min_operands = 1,
    .max_operands = -1,
    .check = check_delete,
    .run = run_delete,
};

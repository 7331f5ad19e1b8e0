/* SPDX-License-Identifier: MIT */
/* volume create, clone, resize, delete. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/volume_attach.h"
#include "cmd/volume_make.h"

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

/* The names of what is gone are left in no document. Nobody waits for that. */
static int forget(struct volume_run *r, const char *what, const struct strv *names, struct err *e)
{
    if (r->options->no_wait)
        return 0;
    if (volume_run_again(r, e) < 0)
        return -1;
    for (size_t i = 0; i < names->count; i++)
        volume_forget(&r->maps, names->items[i]);
    return volume_run_put(r, what, names, false, e);
}

int volume_create_many(struct volume_run *r, const struct volume_new *n, const struct strv *names,
                       struct err *e)
{
    if (volume_create_all(&r->maps, names, n, e) < 0)
        return -1;
    /* A volume that had the same name is another one: its image is not missed. */
    for (size_t i = 0; i < names->count; i++)
        node_set_int(node_get(r->maps.volumes, names->items[i]), "created", r->state.mod_revision);
    return volume_run_put(r, "volume create", names, true, e);
}

static int create(struct volume_run *r, const struct create_options *o, const struct strv *names,
                  struct err *e)
{
    struct volume_new n = {
        .size = o->size, .pool = o->pool, .data_pool = o->data_pool, .from = o->from};
    struct volume_attach_many a = {.names = names, .to = o->attach};
    const struct spec_instance *driver;

    /* A wrong word must not leave volumes behind. */
    if (o->attach && volume_driver_find(&driver, r->spec, o->attach, e) < 0)
        return -1;
    if (volume_create_many(r, &n, names, e) < 0)
        return -1;
    if (!o->attach)
        return 0;
    return volume_run_again(r, e) < 0 ? -1 : volume_attach_many(r, &a, e);
}

static int run_create(struct cmd_context *x, void *opts, const struct strv *names, struct err *e)
{
    const struct create_options *o = opts;
    struct volume_run r;
    int result = volume_run_open(&r, x, &o->common, e);

    if (result == 0)
        result = create(&r, o, names, e);
    if (result == 0)
        volume_run_say(&r, names, o->attach ? "created and attached" : "created");
    volume_run_close(&r);
    return result;
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
    .needs = VOLUME_NEEDS,
    .min_operands = 1,
    .max_operands = -1,
    .run = run_create,
};

/* ---- clone ------------------------------------------------------------------------------------
 */

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
    .needs = VOLUME_NEEDS,
    .min_operands = 2,
    .max_operands = -1,
    .run = run_clone,
};

/* ---- resize -----------------------------------------------------------------------------------
 */

struct force_options {
    struct volume_options common;
    bool force;
};

static const struct opt_spec resize_specs[] = {
    {"force", 0, OPT_FLAG, NULL, "smaller too: what is behind the new end is lost",
     offsetof(struct force_options, force)},
    VOLUME_OPTIONS(force_options),
    {0},
};

static int resize(struct volume_run *r, const struct force_options *o, const struct strv *operands,
                  struct err *e)
{
    char *name = operands->items[0];
    struct strv names = {.items = &name, .count = 1};

    if (volume_resize(&r->maps, name, operands->items[1], o->force, e) < 0 ||
        volume_run_put(r, "volume resize", &names, true, e) < 0)
        return -1;
    if (volume_run_again(r, e) < 0 || volume_attached_resize(r, name, e) < 0)
        return -1;
    return o->force ? volume_run_again(r, e) < 0 ? -1 : forget(r, "volume resize", &names, e) : 0;
}

static int run_resize(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct force_options *o = opts;
    struct strv names = {.items = operands->items, .count = 1};
    struct volume_run r;
    int result = volume_run_open(&r, x, &o->common, e);

    if (result == 0)
        result = resize(&r, o, operands, e);
    if (result == 0)
        volume_run_say(&r, &names, "resized");
    volume_run_close(&r);
    return result;
}

const struct cmd cmd_volume_resize = {
    .help = {.name = "volume resize",
             .summary = "make a volume larger, while it is in use too",
             .args = "VOLUME SIZE",
             .options = resize_specs,
             .group = "Volumes"},
    .options_size = sizeof(struct force_options),
    .needs = VOLUME_NEEDS,
    .min_operands = 2,
    .max_operands = 2,
    .run = run_resize,
};

/* ---- delete -----------------------------------------------------------------------------------
 */

static const struct opt_spec delete_specs[] = {
    {"force", 0, OPT_FLAG, NULL, "its snapshots too", offsetof(struct force_options, force)},
    VOLUME_OPTIONS(force_options),
    {0},
};

int volume_delete_many(struct volume_run *r, const struct strv *names, bool force, struct err *e)
{
    if (volume_delete_all(&r->maps, names, force, e) < 0 ||
        volume_run_put(r, "volume delete", names, true, e) < 0)
        return -1;
    return forget(r, "volume delete", names, e);
}

static int run_delete(struct cmd_context *x, void *opts, const struct strv *names, struct err *e)
{
    const struct force_options *o = opts;
    struct volume_run r;
    int result = volume_run_open(&r, x, &o->common, e);

    if (result == 0)
        result = volume_delete_many(&r, names, o->force, e);
    if (result == 0)
        volume_run_say(&r, names, "deleted");
    volume_run_close(&r);
    return result;
}

const struct cmd cmd_volume_delete = {
    .help = {.name = "volume delete",
             .summary = "delete volumes and their data",
             .args = "VOLUME...",
             .details = "Refused while a volume is attached, has clones, or has snapshots.",
             .options = delete_specs,
             .group = "Volumes"},
    .options_size = sizeof(struct force_options),
    .needs = VOLUME_NEEDS,
    .min_operands = 1,
    .max_operands = -1,
    .run = run_delete,
};

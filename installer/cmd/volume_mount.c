/* SPDX-License-Identifier: MIT */
/* volume mount, unmount. */
#include <unistd.h>

#include "base/clock.h"
#include "cmd/volume_common.h"

struct mount_options {
    struct volume_options common;
    const char *to;
};

static int need_root(const char *what, struct err *e)
{
    return geteuid() == 0 ? 0 : err_set(e, ERR_USAGE, "%s: only root mounts", what);
}

static int run_mount(struct cmd_context *x, void *opts, const struct strv *words, struct err *e)
{
    struct mount_options *o = opts;
    auto_strv struct strv already = {0};
    const struct strv name = {.items = words->items, .count = 1};
    struct volume_said said = {&name, "mounted", &o->common, clock_now_ms()};

    o->common.already = &already;
    if (need_root("volume mount", e) < 0 ||
        env_volume_mount(x->env, words->items[0], words->items[1], o->to, &o->common, e) < 0)
        return -1;
    volume_say(x, &said);
    return 0;
}

static const struct opt_spec mount_specs[] = {
    {"to", 0, OPT_STRING, "DRIVER", "when nobody serves it: the driver to attach it to (qemu)",
     offsetof(struct mount_options, to)},
    VOLUME_OPTIONS(mount_options),
    {0},
};

static const struct opt_example mount_examples[] = {
    {"slipway volume mount disk /mnt/disk", "attached to the QEMU driver, formatted when blank"},
    {"slipway volume unmount disk", "and let go of again"},
    {0},
};

const struct cmd cmd_volume_mount = {
    .help = {.name = "volume mount",
             .summary = "mount a volume's file system on this machine",
             .args = "VOLUME DIR",
             .details = "Works where the mounts of containers do not reach this machine: "
                        "qemu-storage-daemon makes a file of the QEMU driver's socket here. A "
                        "volume that holds nothing gets an ext4 file system; one that holds "
                        "anything else is left as it is. Killed at any point, the same command "
                        "goes on where it was.",
             .options = mount_specs,
             .examples = mount_examples,
             .group = "Volumes"},
    .options_size = sizeof(struct mount_options),
    .needs = ENV_VOLUMES_NEEDS,
    .min_operands = 2,
    .max_operands = 2,
    .run = run_mount,
};

/* ---- unmount ---- */

static int run_unmount(struct cmd_context *x, void *opts, const struct strv *words, struct err *e)
{
    struct mount_options *o = opts;
    auto_strv struct strv already = {0};
    struct volume_said said = {words, "unmounted", &o->common, clock_now_ms()};

    o->common.already = &already;
    if (need_root("volume unmount", e) < 0 ||
        env_volume_unmount(x->env, words->items[0], &o->common, e) < 0)
        return -1;
    volume_say(x, &said);
    return 0;
}

static const struct opt_spec unmount_specs[] = {
    VOLUME_OPTIONS(mount_options),
    {0},
};

const struct cmd cmd_volume_unmount = {
    .help = {.name = "volume unmount",
             .summary = "end a `volume mount`, and detach the volume when that attached it",
             .args = "VOLUME",
             .details = "Works without the environment's key and while it is down: then the volume "
                        "is unmounted, and a warning says that it was not detached.",
             .options = unmount_specs,
             .group = "Volumes"},
    .options_size = sizeof(struct mount_options),
    .needs = ENV_NEEDS_NAME, /* the rest where it can be had */
    .min_operands = 1,
    .max_operands = 1,
    .run = run_unmount,
};

/* SPDX-License-Identifier: MIT */
/* volume attach, detach, move. */
#include "cmd/volume_attach.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/volume_format.h"
#include "conf/units.h"

static int find_driver(const struct spec_instance **out, const struct volume_run *r,
                       const char *word, struct err *e)
{
    const struct manifest *only = NULL;
    size_t count = 0;

    if (word)
        return volume_driver_find(out, r->spec, word, e);
    for (size_t c = 0; c < r->spec->component_count; c++)
        if (volume_is_driver(r->spec->components[c].manifest)) {
            only = r->spec->components[c].manifest;
            count++;
        }
    if (count > 1)
        return err_set(e, ERR_USAGE, "%s has several volume drivers; say which with --to",
                       r->spec->name);
    return volume_driver_find(out, r->spec, only ? only->name : "", e);
}

static struct volume_step step_of(const char *what, const struct spec_instance *driver,
                                  const struct node *served, const struct strv *names)
{
    return (struct volume_step){
        .what = what, .target = driver->name, .key = "volumes", .map = served, .names = names};
}

int volume_attach_many(struct volume_run *r, const struct volume_attach_many *o, struct err *e)
{
    const struct spec_instance *driver;
    auto_node struct node *served = NULL;
    struct volume_attach a = {.read_only = o->read_only, .take_over = o->take_over};
    struct volume_step s;

    if (find_driver(&driver, r, o->to, e) < 0)
        return -1;
    served = volume_run_served(r, driver);
    a.instance = driver->name;
    for (size_t i = 0; i < o->names->count; i++)
        if (volume_attach(&r->maps, served, o->names->items[i], &a, e) < 0)
            return -1;
    s = step_of("volume attach", driver, served, o->names);
    return volume_run_step(r, &s, e);
}

int volume_attached_resize(struct volume_run *r, const char *name, struct err *e)
{
    auto_free char *owned = mem_strdup(name);
    char *items[] = {owned, NULL};
    struct strv names = {.items = items, .count = 1};
    auto_strv struct strv instances = {0};
    int64_t size = 0;
    const struct node *a;

    units_parse_size(&size, node_get_text(node_get(r->maps.volumes, name), "size"));
    node_for_each (a, r->attached) {
        if (strcmp(node_get_text(a, "volume"), name) == 0)
            strv_add(&instances, node_get_text(a, "instance"));
    }
    for (size_t i = 0; i < instances.count; i++) {
        const struct spec_instance *driver = spec_instance(r->spec, instances.items[i]);
        auto_node struct node *served = volume_run_served(r, driver);
        struct volume_step s = step_of("volume resize", driver, served, &names);

        node_set_int(node_get(served, name), "size", size);
        if (volume_run_step(r, &s, e) < 0)
            return -1;
        if (i + 1 < instances.count && volume_run_again(r, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- attach -----------------------------------------------------------------------------------
 */

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
    const struct attach_options *o = opts;
    struct volume_attach_many a = {.names = names, .to = o->to, .read_only = o->read_only};
    struct volume_run r;
    int result = volume_run_open(&r, x, &o->common, e);

    if (result == 0 && !o->read_only)
        result = volume_format_forget(&r, names, e);
    if (result == 0)
        result = volume_attach_many(&r, &a, e);
    if (result == 0)
        volume_run_say(&r, names, "attached");
    volume_run_close(&r);
    return result;
}

const struct cmd cmd_volume_attach = {
    .help = {.name = "volume attach",
             .summary = "have a driver serve volumes",
             .args = "VOLUME...",
             .details = "A volume has one writer: attaching it a second time is refused; `slipway "
                        "volume move` hands it over.",
             .options = attach_specs,
             .examples = attach_examples,
             .group = "Volumes"},
    .options_size = sizeof(struct attach_options),
    .needs = VOLUME_NEEDS,
    .min_operands = 1,
    .max_operands = -1,
    .run = run_attach,
};

/* ---- detach -----------------------------------------------------------------------------------
 */

struct detach_options {
    struct volume_options common;
    const char *from;
    bool force;
};

static const struct opt_spec detach_specs[] = {
    {"from", 0, OPT_STRING, "INSTANCE", "the instance, when several serve it",
     offsetof(struct detach_options, from)},
    {"force", 0, OPT_FLAG, NULL,
     "although it is in use, and without the word of a driver that is dead",
     offsetof(struct detach_options, force)},
    VOLUME_OPTIONS(detach_options),
    {0},
};

/* The driver cuts off who uses them. The mark that says so is left in no document. */
static int detach_forced(struct volume_run *r, const struct spec_instance *driver,
                         const struct strv *names, struct err *e)
{
    auto_node struct node *served = volume_run_served(r, driver);
    struct volume_step s = step_of("volume detach", driver, served, names);

    for (size_t i = 0; i < names->count; i++) {
        struct node *entry = node_get(served, names->items[i]);

        if (!entry || entry->kind != NODE_KIND_MAP)
            continue;
        node_set_bool(entry, "absent", true);
        node_set_bool(entry, "force", true);
    }
    return volume_run_step(r, &s, e) < 0 ? -1 : volume_run_again(r, e);
}

/* Takes volumes off the instance that serves them, all in one step. */
static int detach(struct volume_run *r, const char *instance, const struct strv *names,
                  enum volume_detach_how how, struct err *e)
{
    auto_node struct node *served = NULL;
    const struct spec_instance *driver = spec_instance(r->spec, instance);
    struct volume_step s;

    if (how == VOLUME_DETACH_FORCED && volume_run_alive(r, driver)) {
        if (detach_forced(r, driver, names, e) < 0)
            return -1;
        driver = spec_instance(r->spec, instance);
    }
    served = volume_run_served(r, driver);
    for (size_t i = 0; i < names->count; i++)
        node_remove(served, names->items[i]);
    s = step_of("volume detach", driver, served, names);
    s.no_wait = how != VOLUME_DETACH_ASKED;
    return volume_run_step(r, &s, e);
}

int volume_detach_from(struct volume_run *r, const char *name, const char *from,
                       enum volume_detach_how how, struct err *e)
{
    auto_free char *which = NULL, *owned = mem_strdup(name);
    struct strv names = {.items = &owned, .count = 1};
    const char *instance;

    if (volume_attachment(&instance, &r->maps, name, from, e) < 0)
        return -1;
    which = mem_strdup(instance);
    return detach(r, which, &names, how, e);
}

/* Moves to *together what of *names is served by the same instance as the first, which is
 * *instance. All three are owned. */
static int take_first(char **instance, struct strv *together, const struct volume_run *r,
                      struct strv *names, const char *from, struct err *e)
{
    struct strv rest = {0};

    for (size_t i = 0; i < names->count; i++) {
        const char *serves;

        if (volume_attachment(&serves, &r->maps, names->items[i], from, e) < 0) {
            strv_clear(&rest);
            return -1;
        }
        if (!*instance)
            *instance = mem_strdup(serves);
        strv_add(strcmp(serves, *instance) == 0 ? together : &rest, names->items[i]);
    }
    strv_clear(names);
    *names = rest;
    return 0;
}

static int detach_all(struct volume_run *r, const struct detach_options *o,
                      const struct strv *names, struct err *e)
{
    auto_strv struct strv left = {0};
    int result = 0;

    strv_add_all(&left, names);
    while (result == 0 && left.count) {
        auto_free char *instance = NULL;
        auto_strv struct strv together = {0};

        result = take_first(&instance, &together, r, &left, o->from, e);
        if (result == 0)
            result = detach(r, instance, &together,
                            o->force ? VOLUME_DETACH_FORCED : VOLUME_DETACH_ASKED, e);
        if (result == 0 && left.count)
            result = volume_run_again(r, e);
    }
    return result;
}

static int run_detach(struct cmd_context *x, void *opts, const struct strv *names, struct err *e)
{
    const struct detach_options *o = opts;
    struct volume_run r;
    int result = volume_run_open(&r, x, &o->common, e);

    if (result == 0)
        result = detach_all(&r, o, names, e);
    if (result == 0)
        volume_run_say(&r, names, "detached");
    volume_run_close(&r);
    return result;
}

const struct cmd cmd_volume_detach = {
    .help = {.name = "volume detach",
             .summary = "have a driver serve volumes no longer",
             .args = "VOLUME...",
             .options = detach_specs,
             .group = "Volumes"},
    .options_size = sizeof(struct detach_options),
    .needs = VOLUME_NEEDS,
    .min_operands = 1,
    .max_operands = -1,
    .run = run_detach,
};

/* ---- move -------------------------------------------------------------------------------------
 */

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

/* Who serves the volume, and how; NULL: nobody. That is no error: a move that was killed on its way
 * has detached it already, and the same move again attaches it. */
static int find_old(const struct node **out, const struct volume_run *r, const char *name,
                    const char *from, struct err *e)
{
    const char *instance;
    const struct node *a;
    struct err none;

    *out = NULL;
    if (volume_attachment(&instance, &r->maps, name, from, e) < 0)
        return e->code == ERR_NOTFOUND &&
                       volume_attachment(&instance, &r->maps, name, NULL, &none) < 0 &&
                       none.code == ERR_NOTFOUND
                   ? 0
                   : -1;
    node_for_each (a, r->attached) {
        if (strcmp(node_get_text(a, "volume"), name) == 0 &&
            strcmp(node_get_text(a, "instance"), instance) == 0)
            *out = a;
    }
    return 0;
}

int volume_move_to(struct volume_run *r, const struct volume_move *o, const char *name,
                   struct err *e)
{
    auto_free char *owned = mem_strdup(name);
    char *items[] = {owned, NULL};
    struct strv names = {.items = items, .count = 1};
    auto_free char *old = NULL, *to = NULL;
    const struct spec_instance *driver;
    struct volume_attach_many a = {.names = &names};
    const struct node *attached;

    if (find_driver(&driver, r, o->to, e) < 0 || find_old(&attached, r, name, o->from, e) < 0)
        return -1;
    a.to = to = mem_strdup(driver->name);
    if (attached) {
        old = mem_strdup(node_get_text(attached, "instance"));
        a.read_only = node_get_bool(attached, "read_only", false);
    }
    if (old && strcmp(old, to) == 0)
        return err_set(e, ERR_CONFLICT, "volume %s is attached to %s already", name, old);
    if (old && (volume_detach_from(r, name, old,
                                   o->force ? VOLUME_DETACH_UNHEARD : VOLUME_DETACH_ASKED, e) < 0 ||
                volume_run_again(r, e) < 0))
        return -1;
    /* A number that no earlier take-over had: the driver fences once for each. */
    a.take_over = o->force ? r->state.mod_revision : 0;
    if (volume_attach_many(r, &a, e) < 0)
        return old ? err_wrap(e, "volume %s is detached from %s and attached to nobody", name, old)
                   : -1;
    return 0;
}

static int run_move(struct cmd_context *x, void *opts, const struct strv *names, struct err *e)
{
    const struct move_options *o = opts;
    struct volume_move m = {.to = o->to, .from = o->from, .force = o->force};
    struct volume_run r;
    int result = volume_run_open(&r, x, &o->common, e);

    if (result == 0 && o->common.no_wait && !o->force)
        result = err_set(e, ERR_USAGE, "a move waits for the old driver: not with --no-wait");
    if (result == 0)
        result = volume_format_forget(&r, names, e);
    if (result == 0)
        result = volume_move_to(&r, &m, names->items[0], e);
    if (result == 0)
        volume_run_say(&r, names, "moved");
    volume_run_close(&r);
    return result;
}

const struct cmd cmd_volume_move = {
    .help = {.name = "volume move",
             .summary = "hand a volume over to another driver, never with two writers",
             .args = "VOLUME",
             .options = move_specs,
             .examples = move_examples,
             .group = "Volumes"},
    .options_size = sizeof(struct move_options),
    .needs = VOLUME_NEEDS,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_move,
};

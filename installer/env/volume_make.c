/* SPDX-License-Identifier: MIT */
/* Creating, resizing and deleting: the provisioner does it. */
#include "env/volume_attach.h"
#include "env/volume_mounted.h"
#include "volumes/automatic.h"

/* The names of what is gone are left in no document. Nobody waits for that. */
static int forget(struct volume_run *r, const struct strv *names, struct err *e)
{
    if (r->options->no_wait)
        return 0;
    if (volume_run_begin(r, r->what, e) < 0)
        return -1;
    for (size_t i = 0; i < names->count; i++)
        volume_forget(&r->maps, names->items[i]);
    return volume_run_put(r, names, false, e);
}

/* Those that were there, apart by whether they were attached too when that was asked. */
static void say_already(const struct volume_run *r, const struct strv *there,
                        const struct strv *attached)
{
    for (size_t i = 0; i < there->count; i++) {
        bool all = !attached || strv_has(attached, there->items[i]);
        struct strv *names = all ? r->options->already : r->options->partly;

        if (names)
            strv_add(names, there->items[i]);
    }
}

int env_volume_create(struct env *env, const struct strv *names, const struct volume_new *n,
                      const char *to, const struct volume_options *o, struct err *e)
{
    auto_volume_run struct volume_run r;
    auto_strv struct strv there = {0}, attached = {0};
    struct volume_attach_step attach = {.to = to, .already = &attached};
    const struct spec_instance *driver;

    volume_run_init(&r, env, o);
    if (volume_run_begin(&r, "volume create", e) < 0)
        return -1;
    /* A wrong word must not leave volumes behind. */
    if (to && volume_driver_find(&driver, r.spec, to, e) < 0)
        return -1;
    for (size_t i = 0; i < names->count; i++)
        if (node_get(r.maps.volumes, names->items[i]))
            strv_add(&there, names->items[i]);
    if (volume_create_all(&r.maps, names, n, e) < 0)
        return -1;
    /* A volume that had the same name is another one: its image is not missed. */
    for (size_t i = 0; i < names->count; i++)
        if (!strv_has(&there, names->items[i]))
            node_set_int(node_get(r.maps.volumes, names->items[i]), "created",
                         r.state.d.mod_revision);
    /* Also when all are there: whoever asked before may not have waited. */
    if (volume_run_put(&r, names, true, e) < 0 ||
        (to && volume_attach_step(&r, names, &attach, e) < 0))
        return -1;
    say_already(&r, &there, to ? &attached : NULL);
    return 0;
}

int env_volume_resize(struct env *env, const char *name, const char *size, bool force,
                      const struct volume_options *o, struct err *e)
{
    auto_volume_run struct volume_run r;
    auto_strv struct strv names = strv_of(name);

    volume_run_init(&r, env, o);
    if (volume_run_begin(&r, "volume resize", e) < 0 ||
        volume_resize(&r.maps, name, size, force, e) < 0 || volume_run_put(&r, &names, true, e) < 0)
        return -1;
    if (volume_attached_resize(&r, name, e) < 0)
        return -1;
    return force ? forget(&r, &names, e) : 0;
}

int env_volume_delete(struct env *env, const struct strv *names, bool force,
                      const struct volume_options *o, struct err *e)
{
    auto_volume_run struct volume_run r;

    volume_run_init(&r, env, o);
    if (volume_mounted_refuse(env->name, names, "deleting it", e) < 0 ||
        volume_run_begin(&r, "volume delete", e) < 0 ||
        volume_delete_all(&r.maps, names, force, e) < 0 || volume_run_put(&r, names, true, e) < 0)
        return -1;
    if (forget(&r, names, e) < 0)
        return -1;
    for (size_t i = 0; i < names->count; i++)
        if (volume_run_keeps(r.maps.volumes, names->items[i]))
            return err_set(e, ERR_CONFLICT, "volume %s stays: another command took the order back",
                           names->items[i]);
    return 0;
}

/* ---- snapshots ---- */

/* Which of all snapshots of that name it is: one that was made once and is gone is never made
 * again, with what the volume holds by then. */
static void stamp(struct volume_run *r, const char *name, const char *snapshot)
{
    struct node *snapshots = node_get(node_get(r->maps.volumes, name), "snapshots");

    node_set_int(node_get(snapshots, snapshot), "created", r->state.d.mod_revision);
}

/* What a schedule deletes when it is old must not be somebody's. */
static int refuse_automatic(const struct strv *snapshots, const struct volume_options *o,
                            struct err *e)
{
    int64_t time;

    for (size_t i = 0; i < snapshots->count && !(o && o->automatic); i++)
        if (automatic_parse(&time, snapshots->items[i]))
            return err_set(e, ERR_USAGE,
                           "snapshots called like %s are made by the job snapshots, which deletes "
                           "them when they are old; choose another name",
                           snapshots->items[i]);
    return 0;
}

int env_volume_snapshot(struct env *env, const char *name, const struct strv *snapshots,
                        const struct volume_options *o, struct err *e)
{
    auto_volume_run struct volume_run r;
    auto_strv struct strv names = strv_of(name);

    volume_run_init(&r, env, o);
    if (refuse_automatic(snapshots, o, e) < 0 || volume_run_begin(&r, "volume snapshot", e) < 0 ||
        volume_snapshot_all(&r.maps, name, snapshots, false, e) < 0)
        return -1;
    for (size_t i = 0; i < snapshots->count; i++)
        stamp(&r, name, snapshots->items[i]);
    return volume_run_put(&r, &names, true, e);
}

int env_volume_snapshot_delete(struct env *env, const char *name, const struct strv *snapshots,
                               const struct volume_options *o, struct err *e)
{
    auto_volume_run struct volume_run r;
    auto_strv struct strv names = strv_of(name);

    volume_run_init(&r, env, o);
    if (volume_run_begin(&r, "volume snapshot", e) < 0 ||
        volume_snapshot_all(&r.maps, name, snapshots, true, e) < 0 ||
        volume_run_put(&r, &names, true, e) < 0)
        return -1;
    if (r.options->no_wait)
        return 0;
    if (volume_run_begin(&r, r.what, e) < 0)
        return -1;
    volume_forget_snapshots(&r.maps, name, snapshots);
    return volume_run_put(&r, &names, false, e);
}

/* A rollback that stood in the document could be carried out once more, over what is newer. */
static int forget_rollback(struct volume_run *r, const struct strv *names, int64_t serial,
                           struct err *e)
{
    if (r->options->no_wait)
        return 0;
    if (volume_run_begin(r, r->what, e) < 0)
        return -1;
    volume_forget_rollback(&r->maps, names->items[0], serial);
    return volume_run_put(r, names, false, e);
}

int env_volume_rollback(struct env *env, const char *name, const char *snapshot,
                        const struct volume_options *o, struct err *e)
{
    auto_volume_run struct volume_run r;
    auto_strv struct strv names = strv_of(name);
    int64_t serial;

    volume_run_init(&r, env, o);
    if (volume_mounted_refuse(env->name, &names, "going back to a snapshot", e) < 0 ||
        volume_run_begin(&r, "volume rollback", e) < 0)
        return -1;
    serial = r.state.d.mod_revision;
    if (volume_rollback(&r.maps, name, snapshot, serial, e) < 0 ||
        volume_run_put(&r, &names, true, e) < 0)
        return -1;
    return forget_rollback(&r, &names, serial, e);
}

int env_volume_rollback_cancel(struct env *env, const char *name, const struct volume_options *o,
                               struct err *e)
{
    auto_volume_run struct volume_run r;
    auto_strv struct strv names = strv_of(name);
    bool was;

    volume_run_init(&r, env, o);
    if (volume_run_begin(&r, "volume rollback", e) < 0 ||
        volume_rollback_cancel(&r.maps, name, &was, e) < 0)
        return -1;
    if (!was && r.options->already)
        strv_add(r.options->already, name);
    /* Once all have answered, none of them is at it any more. */
    return volume_run_put(&r, &names, true, e);
}

int env_volume_template(struct env *env, const char *name, const struct volume_options *o,
                        struct err *e)
{
    auto_volume_run struct volume_run r;
    auto_strv struct strv names = strv_of(name);

    volume_run_init(&r, env, o);
    if (volume_mounted_refuse(env->name, &names, "making it a template", e) < 0 ||
        volume_run_begin(&r, "volume template", e) < 0)
        return -1;
    if (node_get_bool(node_get(r.maps.volumes, name), "template", false)) {
        if (r.options->already)
            strv_add(r.options->already, name);
        return volume_run_put(&r, &names, true, e);
    }
    if (volume_template(&r.maps, name, e) < 0)
        return -1;
    stamp(&r, name, VOLUME_TEMPLATE);
    return volume_run_put(&r, &names, true, e);
}

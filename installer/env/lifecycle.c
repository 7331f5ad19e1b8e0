/* SPDX-License-Identifier: MIT */
#include "env/lifecycle.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "env/document.h"
#include "env/document_path.h"
#include "env/held.h"
#include "env/instances.h"
#include "env/key.h"
#include "env/status.h"
#include "env/volume_mounted.h"
#include "env/volumes.h"
#include "plan/object.h"
#include "plan/run.h"
#include "plan/volumes_made.h"

enum { UP_MS = 30 * 60 * 1000, KEEP_MS = 5 * 60 * 1000, DOWN_MS = 10 * 60 * 1000 };

/* ---- plan and up ---- */

static struct converge_opts options_of(struct env *env, const char *command)
{
    return (struct converge_opts){.folder = env->folder,
                                  .user = env->user,
                                  .spec = env->spec,
                                  .catalog = env->catalog,
                                  .images = env->images,
                                  .command = command,
                                  .self = env->o.self,
                                  .finalize = env_finalize,
                                  .finalize_arg = env};
}

/* An environment may have no key yet, but not one that is lost or elsewhere. */
static int check_key(struct env *env, struct err *e)
{
    if (env_key_load(env, e) == 0)
        return 0;
    if (e->code != ERR_NOTFOUND)
        return -1;
    err_drop(e, "an environment that is new");
    return 0;
}

/* What is in the way may be an environment of the same name; then the error says whose it is. */
static int name_other_key(struct env *env, int r, struct err *e)
{
    struct err other;

    if (r < 0 && (e->code == ERR_AUTH || e->code == ERR_CONFLICT) &&
        env_key_check(env, &other) < 0 && other.code == ERR_AUTH)
        *e = other;
    return r;
}

int env_plan(struct converge_view *v, struct env *env, struct err *e)
{
    struct converge_opts o = options_of(env, "plan");
    auto_free char *note = NULL;

    engine_set_read_only(env->engine);
    if (check_key(env, e) < 0)
        return -1;
    if (name_other_key(env, converge_look(v, env->engine, &o, e), e) < 0)
        return -1;
    note = document_path_difference(env, env->spec->document);
    if (note)
        strv_add(&v->plan->notes, note);
    return 0;
}

int env_note_data(struct env *env, struct err *e)
{
    auto_node struct node *volumes = NULL;
    const struct node *v;

    if (env_need(env, ENV_NEEDS_KEY, e) < 0 ||
        engine_volume_list(&volumes, env->engine, LABEL_ENV, e) < 0)
        return -1;
    node_for_each (v, volumes) {
        const char *name = node_get_text(v, "Name"), *of = object_label(v, LABEL_INSTANCE);
        const struct spec_instance *i = of ? spec_instance(env->spec, of) : NULL;

        if (i && name && object_is_ours(v, env->key.uuid) && strv_has(&i->volumes, name) &&
            volumes_made_add(env->folder, name, e) < 0)
            return -1;
    }
    return 0;
}

struct up {
    struct env *env;
    const struct env_run *run;
};

/* From the first change on, the document is this run's own. */
static int approve(void *arg, const struct plan *p, struct err *e)
{
    const struct up *u = arg;

    u->env->expected = 0;
    return u->run->approve ? u->run->approve(u->run->approve_arg, p, e) : 0;
}

int env_up(struct execute_result *result, struct env *env, const struct env_run *run, struct err *e)
{
    struct converge_opts o = options_of(env, "up");
    struct up u = {env, run};
    bool done = false;
    int r;

    o.lock_wait_ms = run->lock_wait_ms;
    o.parallel = run->parallel;
    o.events = run->events;
    o.approve = approve;
    o.approve_arg = &u;
    o.fault = run->fault;
    env->expected = run->revision;
    env_bound(env, UP_MS);
    *result = (struct execute_result){0};
    if (check_key(env, e) < 0 || (env->o.self && env_note_data(env, e) < 0))
        return -1;
    r = converge_up(result, env->engine, &o, e);
    /* What a killed command ordered and the storage refuses would fail every run. */
    if (r < 0 && e->code != ERR_INTERRUPTED && env_volume_settle(env, "up")) {
        done = result->done > 0;
        err_drop(e, "once more, without what was refused");
        r = converge_up(result, env->engine, &o, e);
    }
    done = done || result->done > 0;
    env->changed = env->changed || done;
    if (name_other_key(env, r, e) < 0)
        return err_partial(e, done);
    document_path_save(env);
    return 0;
}

/* ---- keep ---- */

struct keep {
    struct env *env;
    const struct env_keep *o;
    bool restart; /* it has not been yet */
    unsigned done;
};

/* What was asked for may have been taken back since it was looked at. */
static int finalize_keep(void *arg, const struct spec **spec, const struct etcd_kvs *keys,
                         struct err *e)
{
    const struct keep *k = arg;

    if (!keys && !k->o->blind)
        return err_set(e, ERR_NET, "etcd does not answer");
    if (keys && held_is(keys, k->env->name, k->o->instance))
        return err_set(e, ERR_CONFLICT, "%s is to be left alone", k->o->instance);
    return env_finalize(k->env, spec, keys, e);
}

static int approve_keep(void *arg, const struct plan *p, struct err *e)
{
    struct keep *k = arg;

    for (size_t i = 0; i < p->count; i++) {
        const struct op *op = &p->ops[i];

        if (k->o->blind &&
            (op->kind == OP_KIND_INSTANCE_CREATE || op->kind == OP_KIND_INSTANCE_STOP))
            return err_set(e, ERR_NET, "etcd does not answer");
        if (op->kind == OP_KIND_VOLUME_CREATE)
            return err_set(e, ERR_NOTFOUND,
                           "its data is gone: volume %s is not there, and is never made again by "
                           "itself; put it back from a backup, or begin without it: `slipway -e "
                           "%s remove --force --volumes %s`, then `slipway -e %s up`",
                           op->target, p->env, k->o->instance, p->env);
        if (op->kind == OP_KIND_IMAGE_BUILD)
            return err_set(e, ERR_NOTFOUND, "its image is not there; `slipway up` builds it");
        if (op->kind == OP_KIND_INSTANCE_CREATE)
            k->done |= ENV_KEPT_MADE;
        if (op->kind == OP_KIND_INSTANCE_START)
            k->done |= ENV_KEPT_STARTED;
        if (op->kind == OP_KIND_INSTANCE_STOP)
            k->done |= ENV_KEPT_REPLACED;
        if (op->kind == OP_KIND_LINK_PUT)
            k->done |= ENV_KEPT_LINK;
    }
    k->restart = false;
    return 0;
}

void env_keep_cause(struct buf *b, struct env *env, const char *instance)
{
    const struct node *c = object_find_instance(env->containers, instance);

    if (c)
        diagnose_instance(b, env->engine, node_get_text(c, "Id"));
    else
        buf_puts(b, "it has no container");
}

int env_keep(unsigned *done, struct env *env, const struct env_keep *o, struct err *e)
{
    struct converge_opts c = options_of(env, LOCK_KEEPER);
    struct keep k = {env, o, o->restart, 0};
    struct execute_result result = {0};
    int r;

    c.only = o->instance;
    c.restart = &k.restart;
    c.fence = o->fence;
    c.guard = o->guard;
    c.fault = o->fault;
    c.finalize = finalize_keep;
    c.finalize_arg = &k;
    c.approve = approve_keep;
    c.approve_arg = &k;
    env->expected = 0;
    env_bound(env, KEEP_MS);
    r = converge_up(&result, env->engine, &c, e);
    *done = result.done ? k.done : 0;
    env->changed = env->changed || result.done > 0;
    if (r < 0 && e->code == ERR_PARTIAL && *done) {
        err_drop(e, "it ended again at once");
        return 0;
    }
    return r;
}

/* ---- down ---- */

static int take_down(struct execute_result *result, struct env *env, struct converge_down_opts *o,
                     const struct env_run *run, struct err *e)
{
    struct err none;
    int r;

    if (env_need(env, ENV_NEEDS_CATALOG, &none) < 0)
        err_drop(&none, "what requires what is not known");
    o->catalog = env->catalog;
    o->env = env->name;
    o->folder = env->folder;
    o->user = env->user;
    o->lock_wait_ms = run->lock_wait_ms;
    o->parallel = run->parallel;
    o->events = run->events;
    o->fault = run->fault;
    env_bound(env, DOWN_MS);
    *result = (struct execute_result){0};
    if (env_need(env, ENV_NEEDS_CONTAINERS, e) < 0)
        return -1;
    r = converge_down(result, env->engine, o, e);
    env->changed = env->changed || result->done > 0;
    return r < 0 ? err_partial(e, result->done > 0) : 0;
}

int env_down(struct execute_result *result, struct env *env, const struct env_down *d,
             const struct env_run *run, struct err *e)
{
    struct converge_down_opts o = {.volumes = d->volumes,
                                   .named = d->named,
                                   .force = d->force,
                                   .approve = run->approve,
                                   .approve_arg = run->approve_arg};

    *result = (struct execute_result){0};
    /* The file system would lose what it has not written, and stay mounted over nothing. */
    if (!d->named && volume_mounted_refuse(env->name, NULL, "taking it down", e) < 0)
        return -1;
    return take_down(result, env, &o, run, e);
}

/* ---- remove ---- */

/* Those with a container, with keys in etcd or with a volume: what is known to be ours, so that
 * removing twice is fine. */
static int add_known(struct strv *known, const struct env *env, struct err *e)
{
    auto_observed struct observed *w = NULL;
    auto_node struct node *rows = NULL;
    const struct node *n;

    if (observed_observe(&w, env->engine, env->name, &env->key, NULL, e) < 0)
        return -1;
    rows = status_instances(w, env->name);
    node_for_each (n, rows) {
        strv_add(known, node_get_text(n, "instance"));
    }
    node_for_each (n, w->volumes) {
        const char *name = object_label(n, LABEL_INSTANCE);

        if (name && object_is_ours(n, env->key.uuid) && !strv_has(known, name))
            strv_add(known, name);
    }
    return 0;
}

static int find_names(struct strv *names, const struct env *env, const struct strv *words,
                      struct err *e)
{
    auto_strv struct strv known = {0};

    if (add_known(&known, env, e) < 0)
        return -1;
    for (size_t i = 0; i < words->count; i++) {
        const char *name;

        if (instances_name(&name, env, &known, words->items[i], e) < 0)
            return -1;
        if (!strv_has(names, name))
            strv_add(names, name);
    }
    return 0;
}

struct removal {
    struct env *env;
    const struct strv *names;
    const struct env_run *run;
    bool force;
};

static int approve_removal(void *arg, const struct plan *p, struct err *e)
{
    const struct removal *r = arg;

    for (size_t i = 0; i < p->count; i++)
        if (p->ops[i].kind == OP_KIND_INSTANCE_STOP && !r->force)
            return err_set(e, ERR_CONFLICT, "%s runs; `slipway stop %s` first, or use --force",
                           p->ops[i].target, p->ops[i].target);
    if (r->run->approve && r->run->approve(r->run->approve_arg, p, e) < 0)
        return -1;
    held_tell_stopped(r->env, r->names, true); /* or they would be made again at once */
    return 0;
}

int env_remove(struct execute_result *result, struct env *env, const struct env_remove *o,
               const struct env_run *run, struct err *e)
{
    auto_strv struct strv names = {0};
    struct removal r = {.env = env, .names = &names, .run = run, .force = o->force};
    struct converge_down_opts down = {.command = "remove",
                                      .volumes = o->volumes,
                                      .instances = &names,
                                      .approve = approve_removal,
                                      .approve_arg = &r};

    *result = (struct execute_result){0};
    if (find_names(&names, env, o->words, e) < 0)
        return -1;
    return take_down(result, env, &down, run, e);
}

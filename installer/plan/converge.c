/* SPDX-License-Identifier: MIT */
#include "plan/converge.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "crypto/crypto.h"
#include "model/edits.h"
#include "plan/document.h"
#include "plan/host_dir.h"
#include "plan/journal.h"
#include "plan/run_context.h"
#include "plan/volumes_made.h"

/* A plan made while etcd was down cannot know what etcd holds: a second round settles that. */
enum {
    ROUNDS_MAX = 4,
    SETTLE_MS = 2500,       /* what a killed run had asked of Docker is mostly there by then */
    SETTLE_DOWN_MS = 10000, /* what comes after `down` would stay for good */
    LATE_POLL_MS = 300,
};

static struct images_opts image_options(const struct converge_opts *o, const struct spec *s)
{
    struct images_opts images = o->images;

    images.base = s->base_image;
    images.mirror = s->mirror;
    return images;
}

/* An environment that was never made is planned with a key that nobody keeps. */
static int look_up_key(struct converge_view *v, const char *folder, struct err *e)
{
    uint8_t uuid[16];

    if (secret_load_key(&v->key, folder, e) == 0)
        return 0;
    if (e->code != ERR_NOTFOUND)
        return -1;
    v->is_new = true;
    if (crypto_random(v->key.bytes, sizeof(v->key.bytes), e) < 0)
        return -1;
    crypto_derive(uuid, sizeof(uuid), v->key.bytes, "uuid");
    crypto_uuid(v->key.uuid, uuid);
    return 0;
}

struct look_around {
    struct converge_view *v;
    struct engine *g;
    const struct converge_opts *o;
    struct run_context *kept;
    int result;
    struct err *e;
};

static void look_at_half(void *arg, size_t i)
{
    struct look_around *a = arg;
    const struct spec *s = a->o->spec;
    struct err later; /* it is asked again, with the document that counts */

    if (i == 0) {
        a->result = observed_observe(&a->v->observed, a->g, s->name,
                                     a->v->is_new ? NULL : &a->v->key, &a->kept->c, a->e);
        return;
    }
    run_context_read_files(a->kept, a->o->catalog, a->o->folder);
    if (run_context_read_images(a->kept, image_options(a->o, s), s, &later) < 0)
        err_drop(&later, "reading the folders of the images");
}

/* What is there, and meanwhile the folders. */
static int look_around(struct converge_view *v, struct engine *g, const struct converge_opts *o,
                       struct run_context *kept, struct err *e)
{
    struct look_around a = {.v = v, .g = g, .o = o, .kept = kept, .e = e};

    pool_run(2, 2, look_at_half, &a);
    return a.result;
}

static int build_desired(struct converge_view *v, const struct run_context *kept,
                         const struct spec *s, const char *folder, struct err *e)
{
    const struct desired_opts o = {.spec = s,
                                   .key = &v->key,
                                   .folder = folder,
                                   .images = kept->images,
                                   .observed = v->observed};

    desired_ssh_state(&v->key.ssh, v->observed, s->name);
    return desired_build(&v->desired, &o, e);
}

static int look(struct converge_view *v, struct engine *g, const struct converge_opts *o,
                struct run_context *kept, struct err *e)
{
    const struct spec *s = o->spec;
    struct edits edits = {0};
    auto_strv struct strv made = {0};
    struct plan_opts po = {.catalog_version = kept->version,
                           .made = &made,
                           .only = o->only,
                           .restart = o->restart && *o->restart,
                           .self = o->self,
                           .locked = kept->lock && lock_is_taken(kept->lock),
                           .still_unhealthy = &kept->still_unhealthy};
    int r = -1;

    if (look_up_key(v, o->folder, e) == 0 && look_around(v, g, o, kept, e) == 0 &&
        (!o->finalize ||
         o->finalize(o->finalize_arg, &s, v->observed->etcd_answers ? &v->observed->keys : NULL,
                     e) == 0) &&
        run_context_read_images(kept, image_options(o, s), s, e) == 0 &&
        observed_observe_images(v->observed, g, kept->images, e) == 0 &&
        build_desired(v, kept, s, o->folder, e) == 0) {
        observed_observe_host(v->observed, s, o->self);
        observed_inspect_changed(v->observed, g, v->desired, o->only);
        edits_find(&edits, s->name, s->document, o->catalog);
        po.edits = &edits;
        po.document = kept->document;
        po.unread = !v->is_new && !o->fresh && !v->observed->etcd_answers;
        volumes_made_load(&made, o->folder);
        r = plan_up(&v->plan, v->desired, v->observed, &po, e);
        edits_clear(&edits);
    }
    if (r < 0)
        converge_clear(v);
    return r;
}

/* Something in the way may be our own, asked for by a run that was killed and not yet whole: it is
 * worth another look until *late, and the last look begins after that. */
static bool look_again(int result, int64_t *late, struct until until, struct err *e)
{
    if (result >= 0 || e->code != ERR_CONFLICT || *late == 0 || until_is_cancelled(until))
        return false;
    err_drop(e, "looking again");
    if (clock_passed(*late))
        *late = 0;
    else
        until_sleep_ms(until, LATE_POLL_MS);
    return true;
}

int converge_look(struct converge_view *v, struct engine *g, const struct converge_opts *o,
                  struct err *e)
{
    struct run_context kept = {0};
    struct journal_unanswered u;
    int r;

    memset(v, 0, sizeof(*v));
    journal_unanswered(&u, o->folder);
    do
        r = look(v, g, o, &kept, e);
    while (look_again(r, &u.late, engine_until(g), e));
    run_context_end(&kept);
    return r;
}

void converge_clear(struct converge_view *v)
{
    plan_free(v->plan);
    desired_free(v->desired);
    observed_free(v->observed);
    explicit_bzero(v, sizeof(*v));
}

/* The lock in etcd, when etcd answers already; else the plan takes it on its way. */
static int lock_if_up(struct run_context *kept, const struct converge_view *v, struct err *e)
{
    struct link *root = NULL;
    int r;

    if (!v->observed->etcd_answers || lock_is_taken(kept->lock))
        return 0;
    if (run_context_root_link(&root, kept, v->observed->containers, v->desired->spec->name, &v->key,
                              e) < 0)
        return -1;
    r = lock_take(kept->lock, root, e);
    link_free(root);
    return r;
}

static int execute_view(struct execute_result *result, struct engine *g,
                        const struct converge_opts *o, struct run_context *kept,
                        const struct converge_view *v, struct err *e)
{
    struct images_opts images = image_options(o, v->desired->spec);
    struct execute_opts x = {.folder = o->folder,
                             .user = o->user,
                             .key = &v->key,
                             .etcd = kept->c,
                             .lock = kept->lock,
                             .still_unhealthy = &kept->still_unhealthy,
                             .images = &images,
                             .parallel = o->parallel,
                             .fault = o->fault,
                             .guard = o->guard,
                             .events = o->events};
    struct execute_result one = {0};
    int r = document_save(o->folder, v->desired->spec->document, e);

    if (r == 0 && (!o->approve || (r = o->approve(o->approve_arg, v->plan, e)) == 0))
        r = execute_plan(&one, v->plan, g, &x, e);
    result->done += one.done;
    result->total += v->plan->count;
    return r;
}

/*
 * Whether a plan that was carried out leaves nothing for another look. One does that was made under
 * the lock, with etcd at hand, and only adds: everything it made was seen well at its end. What
 * replaces, removes or starts etcd itself is looked at again.
 */
static bool is_complete(const struct converge_view *v)
{
    const struct plan *p = v->plan;

    for (size_t i = 0; i < p->count; i++)
        if (!op_has(p->ops[i].kind, OP_TRAIT_ADDS))
            return false;
    return v->observed->etcd_answers && p->unread.count == 0;
}

/* One locked round: look again under the lock, execute. 1: another one has to follow. */
static int round_up(struct execute_result *result, struct engine *g, const struct converge_opts *o,
                    struct run_context *kept, struct err *e)
{
    struct converge_view v = {0};
    int r = 0;

    if (look(&v, g, o, kept, e) < 0)
        return -1;
    if (!lock_is_taken(kept->lock) && v.observed->etcd_answers) {
        r = lock_if_up(kept, &v, e);
        converge_clear(&v);
        if (r < 0 || look(&v, g, o, kept, e) < 0)
            return -1;
    }
    if (v.plan->count > 0) {
        r = execute_view(result, g, o, kept, &v, e);
        if (r == 0 && !is_complete(&v))
            r = 1;
    } else {
        r = document_save(o->folder, v.desired->spec->document, e);
    }
    converge_clear(&v);
    return r;
}

static int rounds_up(struct execute_result *result, struct engine *g, const struct converge_opts *o,
                     struct run_context *kept, struct err *e)
{
    struct journal_unanswered u;

    journal_unanswered(&u, o->folder);
    if (u.late)
        journal_wait_out(o->folder, SETTLE_MS, engine_until(g));
    for (int i = 0; i < ROUNDS_MAX; i++) {
        int r;

        do
            r = round_up(result, g, o, kept, e);
        while (look_again(r, &u.late, engine_until(g), e));
        if (r <= 0)
            return r;
    }
    return err_set(e, ERR_PARTIAL,
                   "after %d rounds there is still something to do; `slipway plan` says what",
                   ROUNDS_MAX);
}

/* Saves the round a look without the lock; it finds its own way when something changed since. */
static int lock_early(struct run_context *kept, const struct converge_view *seen, struct err *e)
{
    if (!seen->observed || lock_if_up(kept, seen, e) == 0)
        return 0;
    if (e->code == ERR_LOCKED || e->code == ERR_INTERRUPTED)
        return -1;
    err_drop(e, "taking the lock before looking again");
    return 0;
}

/* With the operator's lock and what was seen before it was taken, which is cleared. */
static int bring_up_locked(struct execute_result *result, struct engine *g,
                           const struct converge_opts *o, struct run_context *kept,
                           struct converge_view *seen, struct err *e)
{
    struct converge_opts rounds = *o;
    struct env_key key;
    int r;

    rounds.fresh = secret_load_key(&key, o->folder, e) < 0;
    r = secret_make_key(&key, o->folder, NULL, e);
    explicit_bzero(&key, sizeof(key));
    /* Later rounds save what they have settled on. */
    if (r == 0 && rounds.fresh)
        r = document_save(o->folder, o->spec->document, e);
    if (r == 0)
        r = lock_early(kept, seen, e);
    converge_clear(seen); /* the rounds look for themselves */
    if (r == 0)
        r = rounds_up(result, g, &rounds, kept, e);
    if (r == 0)
        journal_forget(o->folder);
    return r;
}

static int bring_up(struct execute_result *result, struct engine *g, const struct converge_opts *o,
                    struct run_context *kept, struct err *e)
{
    struct lock_opts lo = {.env = o->spec->name,
                           .folder = o->folder,
                           .user = o->user,
                           .command = o->command,
                           .fence = o->fence,
                           .wait_ms = o->lock_wait_ms,
                           .until = engine_until(g)};
    auto_free char *leftover = journal_leftover(o->folder), *ended = NULL;
    struct converge_view seen = {0};
    int r;

    /* When a look shows nothing to do, no lock is taken and nothing written. */
    if (!leftover && look(&seen, g, o, kept, e) < 0)
        return -1;
    if (!leftover && seen.plan->count == 0 &&
        document_is_saved(o->folder, seen.desired->spec->document)) {
        converge_clear(&seen);
        return 0;
    }
    r = lock_open(&kept->lock, &lo, e);
    /* Now no run of this machine is alive: what is still there was left by one that ended. */
    if (r == 0 && (ended = journal_leftover(o->folder)))
        log_warn("%s", ended);
    if (r == 0)
        r = bring_up_locked(result, g, o, kept, &seen, e);
    converge_clear(&seen);
    return r;
}

int converge_up(struct execute_result *result, struct engine *g, const struct converge_opts *o,
                struct err *e)
{
    struct run_context kept = {0};
    int r;

    *result = (struct execute_result){0};
    r = bring_up(result, g, o, &kept, e);
    run_context_end(&kept);
    return r;
}

/* ---- down ---- */

static int lock_for_down(struct run_context *kept, const struct observed *w,
                         const struct env_key *key, const struct converge_down_opts *o,
                         struct err *e)
{
    struct link *root = NULL;
    int r;

    if (!w->etcd_answers)
        return 0;
    if (run_context_root_link(&root, kept, w->containers, o->env, key, e) < 0)
        return -1;
    r = lock_take(kept->lock, root, e);
    link_free(root);
    if (r < 0 &&
        (o->force || (!o->named && !o->instances && run_context_etcd_is_full(kept, w, o->env)))) {
        err_drop(e, "going on without the lock");
        r = 0;
    }
    return r;
}

/* Nothing with our label may be left but the volumes that stay. */
static int prove(const struct plan *p, const struct converge_down_opts *o, struct err *e)
{
    auto_strv struct strv left = {0};

    for (size_t i = 0; i < p->count; i++)
        if (p->ops[i].kind != OP_KIND_HOME_REMOVE)
            strv_add(&left, p->ops[i].target);
    if (left.count == 0)
        return 0;
    auto_free char *names = strv_join(&left, ", ");

    return err_set(e, ERR_PARTIAL, "environment %s still has %s", o->env, names);
}

static int round_down(struct execute_result *result, struct engine *g, const struct env_key *key,
                      const struct converge_down_opts *o, struct run_context *kept, struct err *e)
{
    auto_strv struct strv made = {0};
    struct plan_down_opts po = {.volumes = o->volumes,
                                .named = o->named,
                                .made = &made,
                                .instances = o->instances,
                                .catalog = o->catalog,
                                .home = o->volumes && !o->instances};
    struct execute_opts x = {.folder = o->folder,
                             .user = o->user,
                             .key = key,
                             .lock = kept->lock,
                             .parallel = o->parallel,
                             .fault = o->fault,
                             .unwritten = true,
                             .events = o->events};
    auto_observed struct observed *w = NULL;
    auto_observed struct observed *after = NULL;
    auto_plan struct plan *p = NULL;
    auto_plan struct plan *rest = NULL;

    volumes_made_load(&made, o->folder);
    if (observed_observe(&w, g, o->env, key, &kept->c, e) < 0 ||
        lock_for_down(kept, w, key, o, e) < 0 || plan_down(&p, o->env, key, w, &po, e) < 0)
        return -1;
    x.etcd = kept->c;
    x.containers = w->containers;
    for (size_t i = 0; i < p->strays.count; i++)
        log_warn("%s", p->strays.items[i]);
    if ((o->approve && o->approve(o->approve_arg, p, e) < 0) ||
        execute_plan(result, p, g, &x, e) < 0)
        return -1;
    strv_clear(&made);
    volumes_made_load(&made, o->folder);
    if (observed_observe(&after, g, o->env, key, &kept->c, e) < 0 ||
        plan_down(&rest, o->env, key, after, &po, e) < 0)
        return -1;
    return prove(rest, o, e);
}

struct approval {
    const struct converge_down_opts *o;
    bool refused;
};

static int ask_for_approval(void *arg, const struct plan *p, struct err *e)
{
    struct approval *a = arg;
    int r = a->o->approve(a->o->approve_arg, p, e);

    a->refused = r < 0;
    return r;
}

/* What a killed run had asked for is waited for longer when it would be left behind. */
static int rounds_down(struct execute_result *result, struct engine *g, const struct env_key *key,
                       const struct converge_down_opts *o, struct run_context *kept, struct err *e)
{
    struct converge_down_opts one = *o;
    struct approval a = {.o = o};
    struct journal_unanswered u;
    int r;

    if (o->approve) {
        one.approve = ask_for_approval;
        one.approve_arg = &a;
    }
    journal_unanswered(&u, o->folder);
    if (u.late)
        journal_wait_out(o->folder, u.makes_objects ? SETTLE_DOWN_MS : SETTLE_MS, engine_until(g));
    do
        r = round_down(result, g, key, &one, kept, e);
    while (!a.refused && look_again(r, &u.late, engine_until(g), e));
    return r;
}

int converge_down(struct execute_result *result, struct engine *g,
                  const struct converge_down_opts *o, struct err *e)
{
    struct lock_opts lo = {.env = o->env,
                           .folder = o->folder,
                           .user = o->user,
                           .command = o->command ? o->command : "down",
                           .wait_ms = o->lock_wait_ms,
                           .unwritten = true,
                           .until = engine_until(g)};
    struct run_context kept = {0};
    struct env_key key;
    int r;

    *result = (struct execute_result){0};
    if (secret_load_key(&key, o->folder, e) < 0 || lock_open(&kept.lock, &lo, e) < 0)
        return -1;
    r = rounds_down(result, g, &key, o, &kept, e);
    if (r == 0 && !o->named && !o->instances)
        host_dir_remove_all(o->env);
    run_context_end(&kept);
    explicit_bzero(&key, sizeof(key));
    return r;
}

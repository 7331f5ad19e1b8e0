/* SPDX-License-Identifier: MIT */
#include "plan/converge.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/sig.h"
#include "crypto/crypto.h"
#include "model/edits.h"
#include "plan/connect.h"
#include "plan/document.h"
#include "plan/host_dir.h"
#include "plan/journal.h"
#include "plan/session.h"

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
static int look_up_key(struct converge_view *v, const char *env, struct err *e)
{
    uint8_t uuid[16];

    if (secret_load_key(&v->key, env, e) == 0)
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
    struct session *session;
    int result;
    struct err *e;
};

static void look_at_half(void *arg, size_t i)
{
    struct look_around *a = arg;
    const struct spec *s = a->o->spec;
    struct err later; /* it is asked again, with the document that counts */

    if (i == 0) {
        a->result = world_observe(&a->v->world, a->g, s->name, a->v->is_new ? NULL : &a->v->key,
                                  &a->session->c, a->e);
        return;
    }
    session_read_catalog(a->session, a->o->catalog);
    if (session_read_images(a->session, image_options(a->o, s), s, &later) < 0)
        err_drop(&later, "reading the folders of the images");
}

/* The world, and meanwhile the folders: one waits, the other one computes. */
static int look_around(struct converge_view *v, struct engine *g, const struct converge_opts *o,
                       struct session *session, struct err *e)
{
    struct look_around a = {.v = v, .g = g, .o = o, .session = session, .e = e};

    pool_run(2, 2, look_at_half, &a);
    return a.result;
}

static int look(struct converge_view *v, struct engine *g, const struct converge_opts *o,
                struct session *session, struct err *e)
{
    const struct spec *s = o->spec;
    struct edits edits = {0};
    struct plan_opts po = {.catalog_version = session->version,
                           .locked = session->lock && lock_is_taken(session->lock),
                           .as_before = &session->as_before};
    int r = -1;

    if (look_up_key(v, s->name, e) == 0 && look_around(v, g, o, session, e) == 0 &&
        (!o->settle || !v->world->etcd_answers ||
         o->settle(o->settle_arg, &s, &v->world->keys, e) == 0) &&
        session_read_images(session, image_options(o, s), s, e) == 0 &&
        world_observe_images(v->world, g, session->images, e) == 0 &&
        desired_build(&v->desired, s, &v->key, session->images, v->world, e) == 0) {
        edits_find(&edits, s->name, s->document, o->catalog);
        po.edits = &edits;
        po.unread = !v->is_new && !o->fresh && !v->world->etcd_answers;
        r = plan_up(&v->plan, v->desired, v->world, &po, e);
        edits_clear(&edits);
    }
    if (r < 0)
        converge_clear(v);
    return r;
}

/* Something in the way may be our own, asked for by a run that was killed and not yet whole: it is
 * worth another look until *late, and the last look begins after that. */
static bool look_again(int result, int64_t *late, struct err *e)
{
    if (result >= 0 || e->code != ERR_CONFLICT || *late == 0 || sig_interrupts())
        return false;
    err_drop(e, "looking again");
    if (clock_passed(*late))
        *late = 0;
    else
        clock_sleep_ms(LATE_POLL_MS);
    return true;
}

int converge_look(struct converge_view *v, struct engine *g, const struct converge_opts *o,
                  struct err *e)
{
    struct session session = {0};
    struct journal_unanswered u;
    int r;

    memset(v, 0, sizeof(*v));
    journal_unanswered(&u, o->spec->name);
    do
        r = look(v, g, o, &session, e);
    while (look_again(r, &u.late, e));
    session_end(&session);
    return r;
}

void converge_clear(struct converge_view *v)
{
    plan_free(v->plan);
    desired_free(v->desired);
    world_free(v->world);
    explicit_bzero(v, sizeof(*v));
}

/* The link that the client of a look was opened with, and its login. */
static int link_of_look(struct link **out, const struct session *session,
                        const struct node *containers, const char *env, const struct env_key *key,
                        struct err *e)
{
    if (connect_root_link(out, containers, env, key, e) < 0)
        return -1;
    if (session->c)
        (*out)->token = mem_strdup(etcd_token(session->c));
    return 0;
}

/* The lock in etcd, when etcd answers already; else the plan takes it on its way. */
static int lock_if_up(struct session *session, const struct converge_view *v, struct err *e)
{
    struct link *root = NULL;
    int r;

    if (!v->world->etcd_answers || lock_is_taken(session->lock))
        return 0;
    if (link_of_look(&root, session, v->world->containers, v->desired->spec->name, &v->key, e) < 0)
        return -1;
    r = lock_take(session->lock, root, e);
    link_free(root);
    return r;
}

static int execute_view(struct execute_result *result, struct engine *g,
                        const struct converge_opts *o, struct session *session,
                        const struct converge_view *v, struct err *e)
{
    struct images_opts images = image_options(o, v->desired->spec);
    struct execute_opts x = {.key = &v->key,
                             .etcd = session->c,
                             .lock = session->lock,
                             .as_before = &session->as_before,
                             .images = &images,
                             .parallel = o->parallel,
                             .deadline = o->deadline,
                             .events = o->events};
    struct execute_result one = {0};
    int r = document_save(o->spec->name, v->desired->spec->document, e);

    if (r == 0 && o->approve)
        r = o->approve(o->approve_arg, v->plan, e);
    if (r == 0)
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
static bool is_whole(const struct converge_view *v)
{
    const struct plan *p = v->plan;

    for (size_t i = 0; i < p->count; i++)
        switch (p->ops[i].kind) {
        case OP_KIND_VOLUME_CREATE:
        case OP_KIND_INSTANCE_CREATE:
        case OP_KIND_INSTANCE_START:
        case OP_KIND_LINK_SEND:
        case OP_KIND_ROLE_ENSURE:
        case OP_KIND_USER_ENSURE:
        case OP_KIND_KEYS_PUSH:
        case OP_KIND_SPEC_PUSH:
        case OP_KIND_INSTANCE_WAIT:
            break;
        default:
            return false;
        }
    return v->world->etcd_answers && p->unread.count == 0;
}

/* One locked round: look again under the lock, execute. 1: another one has to follow. */
static int round_up(struct execute_result *result, struct engine *g, const struct converge_opts *o,
                    struct session *session, struct err *e)
{
    struct converge_view v = {0};
    int r = 0;

    if (look(&v, g, o, session, e) < 0)
        return -1;
    if (!lock_is_taken(session->lock) && v.world->etcd_answers) {
        r = lock_if_up(session, &v, e);
        converge_clear(&v);
        if (r < 0 || look(&v, g, o, session, e) < 0)
            return -1;
    }
    if (v.plan->count > 0) {
        r = execute_view(result, g, o, session, &v, e);
        if (r == 0 && !is_whole(&v))
            r = 1;
    }
    converge_clear(&v);
    return r;
}

static int rounds_up(struct execute_result *result, struct engine *g, const struct converge_opts *o,
                     struct session *session, struct err *e)
{
    struct journal_unanswered u;

    journal_unanswered(&u, o->spec->name);
    if (u.late)
        journal_settle(o->spec->name, SETTLE_MS);
    for (int i = 0; i < ROUNDS_MAX; i++) {
        int r;

        do
            r = round_up(result, g, o, session, e);
        while (look_again(r, &u.late, e));
        if (r <= 0)
            return r;
    }
    return err_set(e, ERR_PARTIAL,
                   "after %d rounds there is still something to do; `slipway plan` says what",
                   ROUNDS_MAX);
}

/* Saves the round a look without the lock. What the first look found may have changed since: then
 * the round finds its own way. */
static int lock_early(struct session *session, const struct converge_view *seen, struct err *e)
{
    if (!seen->world || lock_if_up(session, seen, e) == 0)
        return 0;
    if (e->code == ERR_LOCKED || e->code == ERR_INTERRUPTED)
        return -1;
    err_drop(e, "taking the lock before looking again");
    return 0;
}

/* With the operator's lock and what was seen before it was taken, which is cleared. */
static int bring_up_locked(struct execute_result *result, struct engine *g,
                           const struct converge_opts *o, struct session *session,
                           struct converge_view *seen, struct err *e)
{
    struct converge_opts rounds = *o;
    struct env_key key;
    int r;

    rounds.fresh = secret_load_key(&key, o->spec->name, e) < 0;
    r = secret_make_key(&key, o->spec->name, NULL, e);
    explicit_bzero(&key, sizeof(key));
    if (r == 0)
        r = document_save(o->spec->name, o->spec->document, e);
    if (r == 0)
        r = lock_early(session, seen, e);
    converge_clear(seen); /* the rounds look for themselves */
    if (r == 0)
        r = rounds_up(result, g, &rounds, session, e);
    if (r == 0)
        journal_forget(o->spec->name);
    return r;
}

static int bring_up(struct execute_result *result, struct engine *g, const struct converge_opts *o,
                    struct session *session, struct err *e)
{
    struct lock_opts lo = {.env = o->spec->name, .command = o->command, .wait_ms = o->lock_wait_ms};
    auto_free char *leftover = journal_leftover(o->spec->name);
    struct converge_view seen = {0};
    int r;

    /* When a look shows nothing to do, no lock is taken and nothing written. */
    if (!leftover && look(&seen, g, o, session, e) < 0)
        return -1;
    if (!leftover && seen.plan->count == 0) {
        converge_clear(&seen);
        return 0;
    }
    if (leftover)
        log_warn("%s", leftover);
    r = lock_open(&session->lock, &lo, e);
    if (r == 0)
        r = bring_up_locked(result, g, o, session, &seen, e);
    converge_clear(&seen);
    return r;
}

int converge_up(struct execute_result *result, struct engine *g, const struct converge_opts *o,
                struct err *e)
{
    struct session session = {0};
    int r;

    *result = (struct execute_result){0};
    r = bring_up(result, g, o, &session, e);
    session_end(&session);
    return r;
}

/* ---- down ----------------------------------------------------------------------------------- */

static int lock_for_down(struct session *session, const struct world *w, const struct env_key *key,
                         const struct converge_down_opts *o, struct err *e)
{
    struct link *root = NULL;
    int r;

    if (!w->etcd_answers)
        return 0;
    if (link_of_look(&root, session, w->containers, o->env, key, e) < 0)
        return -1;
    r = lock_take(session->lock, root, e);
    link_free(root);
    if (r < 0 && o->force) {
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
    if (left.count) {
        auto_free char *names = strv_join(&left, ", ");

        return err_set(e, ERR_PARTIAL, "environment %s still has %s", o->env, names);
    }
    return 0;
}

static int round_down(struct execute_result *result, struct engine *g, const struct env_key *key,
                      const struct converge_down_opts *o, struct session *session, struct err *e)
{
    struct plan_down_opts po = {.volumes = o->volumes,
                                .named = o->named,
                                .instances = o->instances,
                                .home = o->volumes && !o->instances};
    struct execute_opts x = {.key = key,
                             .lock = session->lock,
                             .parallel = o->parallel,
                             .deadline = o->deadline,
                             .events = o->events};
    auto_world struct world *w = NULL;
    auto_world struct world *after = NULL;
    auto_plan struct plan *p = NULL;
    auto_plan struct plan *rest = NULL;

    if (world_observe(&w, g, o->env, key, &session->c, e) < 0 ||
        lock_for_down(session, w, key, o, e) < 0 || plan_down(&p, o->env, key, w, &po, e) < 0)
        return -1;
    x.etcd = session->c;
    if (o->approve && o->approve(o->approve_arg, p, e) < 0)
        return -1;
    if (execute_plan(result, p, g, &x, e) < 0)
        return -1;
    if (world_observe(&after, g, o->env, key, &session->c, e) < 0 ||
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
                       const struct converge_down_opts *o, struct session *session, struct err *e)
{
    struct converge_down_opts one = *o;
    struct approval a = {.o = o};
    struct journal_unanswered u;
    int r;

    if (o->approve) {
        one.approve = ask_for_approval;
        one.approve_arg = &a;
    }
    journal_unanswered(&u, o->env);
    if (u.late)
        journal_settle(o->env, u.makes_objects ? SETTLE_DOWN_MS : SETTLE_MS);
    do
        r = round_down(result, g, key, &one, session, e);
    while (!a.refused && look_again(r, &u.late, e));
    return r;
}

int converge_down(struct execute_result *result, struct engine *g,
                  const struct converge_down_opts *o, struct err *e)
{
    struct lock_opts lo = {
        .env = o->env, .command = o->command ? o->command : "down", .wait_ms = o->lock_wait_ms};
    struct session session = {0};
    struct env_key key;
    int r;

    *result = (struct execute_result){0};
    if (secret_load_key(&key, o->env, e) < 0)
        return -1;
    if (lock_open(&session.lock, &lo, e) < 0)
        return -1;
    r = rounds_down(result, g, &key, o, &session, e);
    if (r == 0 && !o->named && !o->instances)
        host_dir_remove_all(o->env);
    session_end(&session);
    explicit_bzero(&key, sizeof(key));
    return r;
}

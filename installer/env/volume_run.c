/* SPDX-License-Identifier: MIT */
#include "env/volume_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/units.h"
#include "env/document.h"
#include "env/volume_answer.h"
#include "env/volume_settle.h"

enum { DEADLINE_MS = 60000, MARGIN_MS = 10000, INTERRUPTED_MS = 15000 };

/* ---- what there is ---- */

static struct node *copy_or_map(const struct node *value)
{
    return value && value->kind == NODE_KIND_MAP ? node_copy(value) : node_new_map();
}

static void unload(struct volume_run *r)
{
    node_free(r->maps.volumes);
    node_free(r->maps.pools);
    node_free(r->attached);
    spec_free(r->spec);
    r->maps = (struct volume_maps){0};
    r->attached = NULL;
    r->spec = NULL;
    config_close(&r->state);
}

/* Leaves out what its instance has let go of, as it was ordered. */
static int drop_detached(struct volume_run *r, struct err *e)
{
    struct node *all = r->attached;
    const char *asked = "";
    bool gone = false;
    const struct node *a;

    r->maps.attached = r->attached = node_new_list();
    node_for_each (a, all) {
        const char *name = node_get_text(a, "instance");
        bool detaching = node_get_bool(a, "detaching", false);

        if (detaching && strcmp(name, asked) != 0) { /* they are in the order of the instances */
            struct volume_answer answer;

            if (volume_answer_read(&answer, r->env, spec_instance(r->spec, name), e) < 0) {
                node_free(all);
                return -1;
            }
            asked = name;
            gone = answer.is == VOLUME_ANSWER_APPLIED;
            free(answer.complaint);
        }
        if (!detaching || !gone)
            node_add(r->attached, node_copy(a));
    }
    node_free(all);
    return 0;
}

/* What the document that was read says. */
static int load(struct volume_run *run, struct err *e)
{
    if (env_document_decode(&run->spec, run->env, run->state.d.document, DOCUMENT_STORED, e) < 0)
        return -1;
    run->provisioner = volume_provisioner(run->spec);
    if (!run->provisioner)
        return err_set(e, ERR_NOTFOUND, "%s has no component that makes volumes", run->spec->name);
    run->maps.volumes = copy_or_map(node_get(run->provisioner->config, "volumes"));
    run->maps.pools = copy_or_map(node_get(run->provisioner->config, "pools"));
    run->attached = volume_attachments(run->spec);
    return drop_detached(run, e);
}

/* The deadline is the step's; a call that is under way may end. */
static void set_deadline(struct volume_run *r)
{
    r->deadline = env_deadline(r->env, DEADLINE_MS);
    etcd_set_deadline(r->env->etcd, r->deadline + MARGIN_MS);
}

void volume_run_init(struct volume_run *r, struct env *env, const struct volume_options *o)
{
    static const struct volume_options none = {0};

    *r = (struct volume_run){.env = env, .options = o ? o : &none};
}

int volume_run_read(struct volume_run *r, struct err *e)
{
    unload(r);
    if (env_need(r->env, ENV_VOLUMES_NEEDS, e) < 0)
        return -1;
    set_deadline(r);
    return config_open(&r->state, r->env, NULL, e) < 0 ? -1 : load(r, e);
}

static int begin(struct volume_run *r, const char *what, struct err *e)
{
    const struct volume_options *o = r->options;
    struct config_commit c = {.what = what,
                              .unrecorded = o->unrecorded,
                              .lock_wait_ms =
                                  o->lock_wait_ms ? o->lock_wait_ms : CONFIG_LOCK_WAIT_MS};

    unload(r);
    r->what = what;
    if (config_begin(&r->state, r->env, NULL, &c, e) < 0)
        return -1;
    set_deadline(r);
    return load(r, e);
}

int volume_run_begin(struct volume_run *r, const char *what, struct err *e)
{
    int changed = 0;

    do {
        if (begin(r, what, e) < 0)
            return -1;
        changed = r->settled ? 0 : volume_settle(r, e);
    } while (changed > 0);
    r->settled = changed == 0;
    return changed;
}

void volume_run_close(struct volume_run *r)
{
    unload(r);
}

void volume_run_bytes(struct node *map, const char *key)
{
    const char *text = node_get_text(map, key);
    int64_t bytes;

    if (text && units_parse_size(&bytes, text))
        node_set_int(map, key, bytes);
}

bool volume_run_keeps(const struct node *map, const char *name)
{
    const struct node *entry = node_get(map, name);

    return entry && !node_get_bool(entry, "absent", false);
}

struct node *volume_run_served(const struct volume_run *r, const struct spec_instance *i)
{
    return copy_or_map(spec_value(r->spec, i, "volumes"));
}

/* ---- what the agents answer ---- */

static const char *step_noun(const struct volume_step *s)
{
    return s->noun ? s->noun : "volume";
}

/* *said: all that the agent complains of, when it does; owned. */
static int wait_for(const struct volume_run *r, const struct spec_instance *i,
                    const struct volume_step *s, char **said, struct err *e)
{
    struct volume_answer a;
    auto_free char *complaint = NULL, *mine = NULL;

    if (volume_answer_await(&a, r->env, i, r->deadline, e) < 0)
        return -1;
    complaint = a.complaint;
    if (a.is == VOLUME_ANSWER_NONE && until_is_cancelled(r->env->until))
        return err_set(e, ERR_INTERRUPTED, "the change is recorded; %s has not answered yet",
                       i->name);
    if (a.is == VOLUME_ANSWER_NONE)
        return err_set(e, ERR_TIMEOUT,
                       "the change is recorded, but %s has not answered in time; `slipway status` "
                       "says how it is",
                       i->name);
    if (a.is == VOLUME_ANSWER_APPLIED)
        return 0;
    mine = volume_complaint(complaint, step_noun(s), s->names);
    if (!mine) {
        log_warn("%s has other trouble: %s", i->name, complaint);
        return 0;
    }
    err_set(e, ERR_UNHEALTHY, "%s: %s", i->name, mine);
    *said = steal(complaint);
    return -1;
}

/* Instances that a target means, one after the other from *at on; NULL at the end. */
static const struct spec_instance *next_instance(const struct volume_run *r, const char *target,
                                                 int *at)
{
    const struct spec_component *c = spec_component(r->spec, target);

    if (c)
        return *at < c->count ? &c->instances[(*at)++] : NULL;
    return (*at)++ == 0 ? spec_instance(r->spec, target) : NULL;
}

static int need_alive(const struct volume_run *r, const char *target, struct err *e)
{
    const struct spec_instance *i;

    for (int at = 0; (i = next_instance(r, target, &at));)
        if (!volume_answer_alive(r->env, i))
            return err_set(e, ERR_UNHEALTHY,
                           "%s does not answer, nothing was changed; `slipway status` says how it "
                           "is",
                           i->name);
    return 0;
}

/* ---- a step ---- */

/* Whether an instance of a component is to have just what the component has: that needs no
 * override, which would hide later changes of the component. */
static bool is_common(const struct volume_run *r, const struct volume_step *s,
                      const struct node *map)
{
    const struct spec_instance *i = spec_instance(r->spec, s->target);
    const struct spec_component *c = i ? spec_component(r->spec, i->manifest->name) : NULL;

    return c && node_equal(node_get(c->config, s->key), map);
}

static int store(struct volume_run *r, const struct volume_step *s, const struct node *map,
                 struct err *e)
{
    if (config_aim(&r->state, s->target, e) < 0)
        return -1;
    if (is_common(r, s, map))
        config_unset(&r->state, s->key);
    else
        node_set(config_map(&r->state), s->key, node_copy(map));
    return config_check(&r->state, e) < 0 ? -1 : config_store(&r->state, e);
}

/* The map of the target that is in effect. Borrowed, or NULL. */
static const struct node *in_effect(const struct volume_run *r, const struct volume_step *s)
{
    const struct spec_component *c = spec_component(r->spec, s->target);
    const struct spec_instance *i = spec_instance(r->spec, s->target);

    return c ? node_get(c->config, s->key) : i ? spec_value(r->spec, i, s->key) : NULL;
}

/* Whether what was asked is in effect for this name, although it is not for all: then it cannot be
 * taken back. Only of what was to go: the agent has let go of it. */
static bool is_deleted(const struct node *asked, char *name, const char *noun, const char *said)
{
    struct strv one = {.items = (char *[]){name, NULL}, .count = 1};
    auto_free char *complaint = said ? volume_complaint(said, noun, &one) : NULL;

    return node_get_bool(node_get(asked, name), "absent", false) && said && !complaint;
}

/* The entry as it was, without what is refused now and was ordered before, by somebody who did not
 * wait for the refusal. */
static void put_back(struct node *map, const struct node *entry, const struct node *asked)
{
    struct node *back = node_set(map, entry->key, node_copy(entry));

    if (node_get_bool(asked, "absent", false))
        free(volume_orders_drop(back));
    else if (!node_equal(node_get(entry, "rollback"), node_get(asked, "rollback")))
        node_remove(back, "rollback");
}

/* Puts the entries back as they were: true when all is. Others may have changed theirs meanwhile.
 * The step may name parts of the specification that is read again. */
static bool take_back(struct volume_run *r, const struct volume_step *s, const struct node *old,
                      const char *said)
{
    auto_free char *target = mem_strdup(s->target);
    auto_node struct node *asked = node_copy(s->map);
    struct volume_step again = *s;
    auto_node struct node *map = NULL;
    bool is_driver;
    bool some = false;
    struct err e;

    if (volume_run_begin(r, r->what, &e) < 0) {
        err_drop(&e, "taking the change back");
        return false;
    }
    again.target = target;
    map = copy_or_map(in_effect(r, &again));
    is_driver = !spec_component(r->spec, target);
    for (size_t i = 0; i < s->names->count; i++) {
        const struct node *entry = node_get(old, s->names->items[i]);
        bool deleted = is_deleted(asked, s->names->items[i], step_noun(s), said);

        some = some || deleted;
        if (deleted)
            log_warn("%s %s is %s, as asked", step_noun(s), s->names->items[i],
                     is_driver ? "detached" : "gone");
        if (deleted && is_driver) { /* until it answers to what is stored now */
            node_set(map, s->names->items[i], node_copy(node_get(asked, s->names->items[i])));
        } else if (entry && !deleted) {
            put_back(map, entry, node_get(asked, s->names->items[i]));
        } else {
            node_remove(map, s->names->items[i]);
        }
    }
    if (store(r, &again, map, &e) == 0)
        return !some;
    log_warn("the change stays recorded: %s", e.msg);
    return false;
}

static int wait_for_all(const struct volume_run *r, const struct volume_step *s, char **said,
                        struct err *e)
{
    const struct spec_instance *i;

    for (int at = 0; (i = next_instance(r, s->target, &at));)
        if (wait_for(r, i, s, said, e) < 0)
            return -1;
    return 0;
}

/* Waits, and takes back what is refused. An interrupt lets it wait a while longer: what is recorded
 * may be refused, and then it would stand in the way of others. A second one ends that. `changed`:
 * what the environment said of itself before the step. */
static int settle_step(struct volume_run *run, const struct volume_step *s, const struct node *old,
                       bool changed, struct err *e)
{
    struct cancel *cancel = run->env->o.cancel;
    auto_free char *said = NULL;
    int r = wait_for_all(run, s, &said, e), before = 0;

    if (r < 0 && e->code == ERR_INTERRUPTED && cancel && cancel_count(cancel) == 1) {
        int64_t deadline = clock_deadline(INTERRUPTED_MS);

        log_warn("interrupted; the change is recorded, so its answer is waited for, up to 15 s; a "
                 "second Ctrl-C leaves at once");
        before = cancel_set_aside(cancel);
        run->deadline = deadline < run->deadline ? deadline : run->deadline;
        err_drop(e, "waiting on");
        r = wait_for_all(run, s, &said, e);
        if (r < 0 && e->code == ERR_TIMEOUT)
            e->code = ERR_INTERRUPTED;
    }
    if (r < 0 && e->code == ERR_UNHEALTHY && take_back(run, s, old, said))
        run->env->changed = changed;
    if (before)
        cancel_put_back(cancel, before);
    return r;
}

int volume_run_step(struct volume_run *r, const struct volume_step *s, struct err *e)
{
    bool wait = !s->no_wait && !r->options->no_wait;
    auto_node struct node *old = copy_or_map(in_effect(r, s));
    bool changed = r->env->changed;

    if (wait && until_is_cancelled(r->env->until))
        return err_set(e, ERR_INTERRUPTED, "interrupted; what was done before stays");
    if (wait && need_alive(r, s->target, e) < 0)
        return -1;
    if (store(r, s, s->map, e) < 0)
        return -1;
    return wait ? settle_step(r, s, old, changed, e) : 0;
}

int volume_run_put(struct volume_run *r, const struct strv *names, bool wait, struct err *e)
{
    struct volume_step s = {.target = r->provisioner->manifest->name,
                            .key = "volumes",
                            .map = r->maps.volumes,
                            .names = names,
                            .no_wait = !wait};

    return volume_run_step(r, &s, e);
}

bool env_volume_settle(struct env *env, const char *what)
{
    auto_volume_run struct volume_run r;
    struct err e;

    volume_run_init(&r, env, NULL);
    if (volume_run_read(&r, &e) < 0 ||
        (volume_settle_pending(&r) && volume_run_begin(&r, what, &e) < 0))
        err_drop(&e, "looking for orders that were refused");
    return r.taken_back > 0;
}

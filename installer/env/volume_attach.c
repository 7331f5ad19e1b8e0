/* SPDX-License-Identifier: MIT */
#include "env/volume_attach.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/units.h"
#include "env/volume_answer.h"
#include "env/volume_format.h"
#include "env/volume_mounted.h"

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

static struct volume_step step_of(const struct spec_instance *driver, const struct node *served,
                                  const struct strv *names)
{
    return (struct volume_step){
        .target = driver->name, .key = "volumes", .map = served, .names = names};
}

/* ---- attach ---- */

static const char ATTACH[] = "volume attach";

/* Whoever gets a volume for writing may put anything there: from then on nobody formats it. */
static int begin_attach(struct volume_run *r, const struct strv *names,
                        const struct volume_attach_step *a, struct err *e)
{
    if (volume_run_begin(r, ATTACH, e) < 0)
        return -1;
    if (a->read_only || a->keep_marks || !volume_format_unmark(&r->maps, names))
        return 0;
    return volume_run_put(r, names, false, e) < 0 ? -1 : volume_run_begin(r, ATTACH, e);
}

/* The instance that has the volume already as it is asked for; NULL: none. */
static const struct spec_instance *find_attached(const struct volume_run *r, const char *name,
                                                 const struct volume_attach_step *a)
{
    const struct node *n;

    node_for_each (n, r->attached) {
        const struct spec_instance *i = spec_instance(r->spec, node_get_text(n, "instance"));

        if (node_text_is(n, "volume", name) && i && !node_get_bool(n, "detaching", false) &&
            (!a->to || volume_driver_is(i, a->to)) &&
            node_get_bool(n, "read_only", false) == a->read_only)
            return i;
    }
    return NULL;
}

static int attach(struct volume_run *r, const struct spec_instance *driver,
                  const struct strv *names, const struct volume_attach_step *a, struct err *e)
{
    auto_node struct node *served = volume_run_served(r, driver);
    struct volume_attach entry = {
        .instance = driver->name, .read_only = a->read_only, .take_over = a->take_over};
    struct volume_step s = step_of(driver, served, names);

    for (size_t i = 0; i < names->count; i++)
        if (volume_attach(&r->maps, served, names->items[i], &entry, e) < 0)
            return -1;
    return volume_run_step(r, &s, e);
}

/* Nothing changes, but whoever asked before may not have waited until the driver had it. */
static int attach_again(struct volume_run *r, char *name, const struct volume_attach_step *a,
                        struct err *e)
{
    const struct strv one = {.items = (char *[]){name, NULL}, .count = 1};
    const struct spec_instance *driver;

    if (volume_run_begin(r, ATTACH, e) < 0)
        return -1;
    driver = find_attached(r, name, a);
    return driver ? attach(r, driver, &one, a, e)
                  : err_set(e, ERR_CONFLICT, "volume %s was detached meanwhile", name);
}

int volume_attach_step(struct volume_run *r, const struct strv *names,
                       const struct volume_attach_step *a, struct err *e)
{
    const struct spec_instance *driver;
    auto_strv struct strv there = {0}, left = {0};

    if (begin_attach(r, names, a, e) < 0 || find_driver(&driver, r, a->to, e) < 0)
        return -1;
    for (size_t i = 0; i < names->count; i++)
        strv_add(find_attached(r, names->items[i], a) ? &there : &left, names->items[i]);
    if (left.count && attach(r, driver, &left, a, e) < 0)
        return -1;
    for (size_t i = 0; i < there.count; i++)
        if (attach_again(r, there.items[i], a, e) < 0)
            return -1;
    if (a->already)
        strv_add_all(a->already, &there);
    return 0;
}

int env_volume_attach(struct env *env, const struct strv *names, const struct volume_attach_opts *a,
                      const struct volume_options *o, struct err *e)
{
    auto_volume_run struct volume_run r;
    struct volume_attach_step step = {.to = a ? a->to : NULL, .read_only = a && a->read_only};

    volume_run_init(&r, env, o);
    step.already = r.options->already;
    return volume_attach_step(&r, names, &step, e);
}

int volume_attached_resize(struct volume_run *r, const char *name, struct err *e)
{
    auto_strv struct strv names = {0}, instances = {0};
    const struct node *a;

    strv_add(&names, name);
    if (volume_run_read(r, e) < 0)
        return -1;
    node_for_each (a, r->attached) {
        if (node_text_is(a, "volume", name))
            strv_add(&instances, node_get_text(a, "instance"));
    }
    for (size_t i = 0; i < instances.count; i++) {
        auto_node struct node *served = NULL;
        const struct spec_instance *driver;
        struct volume_step s;
        int64_t size = 0;

        if (volume_run_begin(r, "volume resize", e) < 0)
            return -1;
        driver = spec_instance(r->spec, instances.items[i]);
        served = driver ? volume_run_served(r, driver) : NULL;
        if (!node_get(served, name)) /* detached meanwhile */
            continue;
        units_parse_size(&size, node_get_text(node_get(r->maps.volumes, name), "size"));
        node_set_int(node_get(served, name), "size", size);
        s = step_of(driver, served, &names);
        if (volume_run_step(r, &s, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- detach ---- */

static const char DETACH[] = "volume detach";

enum detach_how {
    DETACH_ASKED,    /* the driver refuses while it is in use */
    DETACH_FORCED,   /* the driver cuts off who uses it, if it is alive */
    DETACH_UNWAITED, /* the driver is not waited for */
};

/* Orders the driver to let go of them, by force from whoever uses them, and waits for the answer:
 * without one the order stays, and says who may still serve them. It is left in no document
 * afterwards: a second step takes the entries out, which is begun here. */
static int order_detach(struct volume_run *r, const struct spec_instance **driver,
                        const struct strv *names, bool force, struct err *e)
{
    auto_node struct node *served = volume_run_served(r, *driver);
    auto_free char *instance = mem_strdup((*driver)->name);
    struct volume_step s = step_of(*driver, served, names);

    for (size_t i = 0; i < names->count; i++) {
        struct node *entry = node_get(served, names->items[i]);

        if (!entry || entry->kind != NODE_KIND_MAP)
            continue;
        node_set_bool(entry, "absent", true);
        node_remove(entry, "force");
        if (force)
            node_set_bool(entry, "force", true);
    }
    if (volume_run_step(r, &s, e) < 0)
        return -1;
    if (r->options->no_wait)
        return 0;
    if (volume_run_begin(r, DETACH, e) < 0)
        return -1;
    *driver = spec_instance(r->spec, instance);
    return *driver ? 0 : err_set(e, ERR_NOTFOUND, "%s was removed meanwhile", instance);
}

/* Meanwhile another command may have taken the order back. */
static int refuse_kept(const struct node *served, const struct strv *names, struct err *e)
{
    for (size_t i = 0; i < names->count; i++)
        if (node_get(served, names->items[i]))
            return err_set(e, ERR_CONFLICT,
                           "volume %s stays attached: another command took the order back, or "
                           "attached it again",
                           names->items[i]);
    return 0;
}

/* Takes volumes off the instance that serves them, all in one step, which was begun. */
static int detach(struct volume_run *r, const char *instance, const struct strv *names,
                  enum detach_how how, struct err *e)
{
    auto_node struct node *served = NULL;
    const struct spec_instance *driver = spec_instance(r->spec, instance);
    struct volume_step s;

    if (how == DETACH_FORCED && !volume_answer_alive(r->env, driver))
        how = DETACH_UNWAITED;
    if (how != DETACH_UNWAITED && order_detach(r, &driver, names, how == DETACH_FORCED, e) < 0)
        return -1;
    if (how != DETACH_UNWAITED && r->options->no_wait)
        return 0;
    served = volume_run_served(r, driver);
    for (size_t i = 0; i < names->count; i++)
        if (how == DETACH_UNWAITED || !volume_run_keeps(served, names->items[i]))
            node_remove(served, names->items[i]);
    s = step_of(driver, served, names);
    s.no_wait = true;
    return volume_run_step(r, &s, e) < 0 ? -1 : refuse_kept(served, names, e);
}

int volume_detach_step(struct volume_run *r, const char *name, struct err *e)
{
    auto_strv struct strv names = {0};
    const char *instance;

    strv_add(&names, name);
    if (volume_run_begin(r, DETACH, e) < 0 ||
        volume_attachment(&instance, &r->maps, name, NULL, e) < 0)
        return -1;
    return detach(r, instance, &names, DETACH_ASKED, e);
}

/* Nobody is to serve it, or not this instance, as it was asked. */
static bool is_detached(const struct volume_run *r, const char *name, const char *from)
{
    const char *serves;
    struct err none;

    return (!from || spec_instance(r->spec, from)) &&
           volume_attachment(&serves, &r->maps, name, from, &none) < 0 && none.code == ERR_NOTFOUND;
}

/* Moves to *together what of *names is served by the same instance as the first, which is
 * *instance; NULL: nobody serves any. All three are owned. */
static int take_first(char **instance, struct strv *together, const struct volume_run *r,
                      struct strv *names, const char *from, struct err *e)
{
    auto_strv struct strv rest = {0};

    for (size_t i = 0; i < names->count; i++) {
        const char *serves;
        struct node *volume;

        if (volume_find(&volume, &r->maps, names->items[i], e) < 0)
            return -1;
        if (is_detached(r, names->items[i], from)) {
            if (r->options->already)
                strv_add(r->options->already, names->items[i]);
            continue;
        }
        if (volume_attachment(&serves, &r->maps, names->items[i], from, e) < 0)
            return -1;
        if (!*instance)
            *instance = mem_strdup(serves);
        strv_add(strcmp(serves, *instance) == 0 ? together : &rest, names->items[i]);
    }
    strv_clear(names);
    *names = rest;
    rest = (struct strv){0};
    return 0;
}

int env_volume_detach(struct env *env, const struct strv *names, const struct volume_detach_opts *d,
                      const struct volume_options *o, struct err *e)
{
    static const struct volume_detach_opts none = {0};
    auto_volume_run struct volume_run run;
    auto_strv struct strv left = {0};
    int r = 0;

    d = d ? d : &none;
    volume_run_init(&run, env, o);
    if (!d->force && volume_mounted_refuse(env->name, names, "detaching it", e) < 0)
        return -1;
    strv_add_all(&left, names);
    while (r == 0 && left.count) { /* a step for each instance */
        auto_free char *instance = NULL;
        auto_strv struct strv together = {0};

        r = volume_run_begin(&run, DETACH, e);
        if (r == 0)
            r = take_first(&instance, &together, &run, &left, d->from, e);
        if (r == 0 && instance)
            r = detach(&run, instance, &together, d->force ? DETACH_FORCED : DETACH_ASKED, e);
    }
    return r;
}

/* ---- move ---- */

/* Who serves the volume, and how; NULL: nobody. That is not an error: a move that was killed on its
 * way has detached it already, and the same move again attaches it. */
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
        if (node_text_is(a, "volume", name) && node_text_is(a, "instance", instance))
            *out = a;
    }
    return 0;
}

/* What is decided of a move before anything is changed. */
struct move {
    char *to, *old; /* instances; old NULL: nobody serves it. Owned */
    bool done;      /* it is there already */
    struct volume_attach_step attach;
};

static int decide_move(struct move *m, const struct volume_run *r, const char *name,
                       const struct volume_move_opts *o, struct err *e)
{
    const struct spec_instance *driver, *old;
    const struct node *attached;

    if (find_driver(&driver, r, o->to, e) < 0 || find_old(&attached, r, name, o->from, e) < 0 ||
        volume_refuse_rollback(&r->maps, name, "moving it", e) < 0)
        return -1;
    m->attach.to = m->to = mem_strdup(driver->name);
    if (!attached)
        return 0;
    m->attach.read_only = node_get_bool(attached, "read_only", false);
    /* An order to let go of it is taken back by attaching it there. */
    if (node_get_bool(attached, "detaching", false) &&
        node_text_is(attached, "instance", driver->name))
        return 0;
    m->old = mem_strdup(node_get_text(attached, "instance"));
    old = spec_instance(r->spec, m->old);
    m->done = o->force ? o->to && strcmp(o->to, m->old) == 0
                       : old && !node_get_bool(attached, "detaching", false) &&
                             (!o->to || volume_driver_is(old, o->to));
    if (!m->done && strcmp(m->old, m->to) == 0)
        return err_set(e, ERR_CONFLICT, "volume %s is attached to %s already", name, m->old);
    return 0;
}

/* The old driver has let go, and the new one does not have it, unless nobody waited until it
 * answered: then it has the order, and what is said already stands. */
static int not_handed_over(const struct volume_run *r, const struct move *m, const char *name,
                           struct err *e)
{
    const char *has;
    struct err none;

    if (e->code == ERR_TIMEOUT || e->code == ERR_INTERRUPTED)
        return -1;
    if (volume_attachment(&has, &r->maps, name, NULL, &none) == 0 && strcmp(has, m->to) != 0)
        err_set(e, ERR_CONFLICT,
                "volume %s is detached from %s, and another command attached it "
                "to %s meanwhile",
                name, m->old, has);
    else
        err_wrap(e, "volume %s is detached from %s and attached to nobody", name, m->old);
    return err_partial(e, true);
}

static int move(struct volume_run *r, struct move *m, const char *name,
                const struct volume_move_opts *o, struct err *e)
{
    auto_strv struct strv names = {0};

    strv_add(&names, name);
    if (volume_run_begin(r, DETACH, e) < 0 || decide_move(m, r, name, o, e) < 0)
        return -1;
    if (m->done) {
        struct volume_attach_step same = {.to = m->old, .read_only = m->attach.read_only};

        if (r->options->already)
            strv_add(r->options->already, name);
        return attach_again(r, names.items[0], &same, e);
    }
    if (m->old && detach(r, m->old, &names, o->force ? DETACH_UNWAITED : DETACH_ASKED, e) < 0)
        return -1;
    /* A number that no earlier take-over had: the driver fences once for each. */
    m->attach.take_over = o->force ? r->state.d.mod_revision : 0;
    if (volume_attach_step(r, &names, &m->attach, e) < 0)
        return m->old ? not_handed_over(r, m, name, e) : -1;
    return 0;
}

int env_volume_move(struct env *env, const char *name, const struct volume_move_opts *m,
                    const struct volume_options *o, struct err *e)
{
    static const struct volume_move_opts none = {0};
    auto_volume_run struct volume_run run;
    auto_strv struct strv names = {0};
    struct move what = {0};
    int r;

    strv_add(&names, name);
    m = m ? m : &none;
    volume_run_init(&run, env, o);
    if (run.options->no_wait && !m->force)
        return err_set(e, ERR_USAGE, "a move waits for the old driver: not with --no-wait");
    if (!m->force && volume_mounted_refuse(env->name, &names, "moving it", e) < 0)
        return -1;
    r = move(&run, &what, name, m, e);
    free(what.to);
    free(what.old);
    return r;
}

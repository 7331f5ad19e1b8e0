/* SPDX-License-Identifier: MIT */
/* Part of plan_up: what one instance needs. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/applied.h"
#include "model/keys.h"
#include "plan/address.h"
#include "plan/body.h"
#include "plan/object.h"
#include "plan/plan_up.h"

/* A volume more is a folder more; one fewer would hide what is in it. Those that the document names
 * itself are its author's decision. */
static void refuse_fewer(struct builder *b, const struct desired_instance *it)
{
    const struct strv *volumes = &it->spec->volumes;
    size_t most = (size_t)it->spec->manifest->data_volumes_max;
    auto_free char *own = mem_printf("%s-%s-data", b->d->spec->name, it->spec->name);

    for (size_t n = volumes->count + 1;
         volumes->count && strcmp(volumes->items[0], own) == 0 && n <= most; n++) {
        auto_free char *name = mem_printf("%s%zu", own, n);
        const struct node *have = observed_named(b->w->volumes, name);

        if (have && object_is_ours(have, b->d->key->uuid))
            problems_add(&b->wrong, NULL,
                         "%s has data in volume %s too, which it would not see any more: let it "
                         "have `volumes: %zu`, or begin without its data by `slipway -e %s remove "
                         "--force --volumes %s`",
                         it->spec->name, name, n, b->d->spec->name, it->spec->name);
    }
}

/* What is said of the data of a volume that is not there; NULL: there was none. Of a further one
 * that is new in the document the instance's report says nothing. */
static const char *loss(const struct builder *b, const struct desired_instance *it, size_t number)
{
    auto_free char *key = keys_instance_applied(b->d->spec->name, it->spec->name);
    const char *applied = observed_value(b->w, key);
    bool made = b->o->made && strv_has(b->o->made, it->spec->volumes.items[number]);

    if ((number == 0 || made) && applied && applied_had_data(applied))
        return "which is gone: it begins empty";
    return made ? "which was made, or was about to be, and is not there: it begins empty" : NULL;
}

static long add_volume(struct builder *b, const struct desired_instance *it, size_t number)
{
    const char *name = it->spec->volumes.items[number], *lost = loss(b, it, number);
    long op = plan_add(b->p, OP_KIND_VOLUME_CREATE, name,
                       mem_printf("data of %s, %s", it->spec->name, lost ? lost : "not there"));

    b->p->ops[op].instance = it;
    b->p->ops[op].number = (int)number;
    b->p->ops[op].lost = lost != NULL;
    return op;
}

static bool is_in_use(const struct builder *b, const char *volume)
{
    const struct node *c;

    node_for_each (c, b->w->containers) {
        if (object_writes_to(c, volume))
            return true;
    }
    return false;
}

/* A volume that has the name of one that we made, and not its labels: somebody removed that, and
 * made an empty one or put back its content. A container that has it already may go on with it. */
static bool is_stand_in(const struct builder *b, const struct node *volume)
{
    const char *name = node_get_text(volume, "Name");

    return b->o->made && strv_has(b->o->made, name) && !object_label(volume, LABEL_ENV) &&
           !is_in_use(b, name);
}

static void refuse_stand_in(struct builder *b, const struct desired_instance *it, const char *name)
{
    auto_free char *own = spec_volume_name(b->d->spec->name, it->spec->name, 1);
    size_t len = strlen(own);
    bool is_own = strncmp(name, own, len) == 0 && !name[len + strspn(name + len, "0123456789")];
    auto_free char *take =
        is_own
            ? mem_printf("; what somebody put back into it belongs into a volume of another "
                         "name, with `overrides: {%s: {volumes: [NAME]}}`",
                         it->spec->name)
            : mem_printf(", or let %s begin with what is in it: `slipway -e %s down --volume %s`",
                         it->spec->name, b->d->spec->name, name);

    problems_add(&b->wrong, NULL,
                 "volume %s is not the one that was made for %s, whose data is gone: it has none "
                 "of its labels; remove it with `docker volume rm %s`%s",
                 name, it->spec->name, name, take);
}

static void add_volumes(struct builder *b, const struct desired_instance *it, long *last)
{
    for (size_t v = 0; v < it->spec->volumes.count; v++) {
        const char *name = it->spec->volumes.items[v];
        const struct node *have = observed_named(b->w->volumes, name);
        const char *env = have ? object_label(have, LABEL_ENV) : NULL;

        if (!have) {
            last[v] = add_volume(b, it, v);
            continue;
        }
        last[v] = PLAN_NONE;
        if (is_stand_in(b, have)) {
            refuse_stand_in(b, it, name);
            continue;
        }
        if (env && strcmp(env, b->d->key->uuid) != 0)
            problems_add(&b->wrong, NULL,
                         "volume %s exists and belongs to another environment; name another one "
                         "with `overrides: {%s: {volumes: [NAME]}}`",
                         name, it->spec->name);
        if (!env && strncmp(name, b->d->spec->name, strlen(b->d->spec->name)) == 0 &&
            strstr(name, it->spec->name))
            problems_add(&b->wrong, NULL,
                         "volume %s exists and was not made by Slipway; remove it with `docker "
                         "volume rm %s`, or name it with `overrides: {%s: {volumes: [%s]}}` under "
                         "another name",
                         name, name, it->spec->name, name);
    }
}

/* Of etcd it is enough that it answers. */
static void order_start(struct builder *b, size_t component, long start)
{
    const struct manifest *m = b->d->components[component].spec->manifest;

    if (m->early)
        return;
    for (size_t i = 0; i < b->d->count; i++) {
        const char *other = b->d->items[i].spec->manifest->name;

        if (strcmp(other, ETCD_COMPONENT) != 0 && strv_has(&m->requires, other))
            plan_after(b->p, start, b->wait[i]);
    }
}

enum start_kind { START_OF_NEW, START_AGAIN };

/*
 * A new container is sent its link on its standard input, just after the start (LINK_SEND), and
 * the agent keeps it as a file of the container's own layer, 0400, before it does anything else:
 * no argument, no variable, no mount, the password in no `inspect`, `ps` or log. Putting the file
 * there before the start would promise the same, but for a file Docker starts a process to unpack
 * a tar, 50 ms of CPU, a fifth of what it takes to make a container; this takes 2. So a new
 * container starts while etcd gets ready, and what orders it behind etcd, its user and its keys is
 * the link. For a moment it may run without: it waits 30 s, gives up, is started again by Docker,
 * waits again.
 *
 * LINK_PUT, a file, is for those to which it cannot be sent: etcd's own containers, which get a
 * snapshot of their keys beside it, so that they start before there is an etcd; a container that
 * ran before, because it reads the file it kept and not its input; one that runs and is not well,
 * because the run that started it may have been killed before it sent the link: the agent looks
 * for the file while it waits. A container with a read-only root file system cannot take files: it
 * gets a bind mount of an operator's folder.
 */
static void add_start(struct builder *b, size_t item, enum start_kind kind, long after,
                      const char *cause)
{
    const struct desired_instance *it = &b->d->items[item];
    bool sends = kind == START_OF_NEW && body_takes_link(it);
    size_t component = builder_component_of(b, item);
    long start;

    if (!sends)
        after = builder_add_link(b, OP_KIND_LINK_PUT, item, after);
    start = plan_add(b->p, OP_KIND_INSTANCE_START, it->spec->name, mem_strdup(cause));
    b->p->ops[start].instance = it;
    b->p->ops[start].object = mem_strdup(it->container);
    plan_after(b->p, start, after);
    order_start(b, component, start);
    b->start[item] = start;
    builder_order_link(b, component,
                       sends ? builder_add_link(b, OP_KIND_LINK_SEND, item, start) : start);
}

static long add_create(struct builder *b, size_t component, size_t item, const long *volumes,
                       const char *cause)
{
    const struct desired_instance *it = &b->d->items[item];
    bool is_etcd = builder_is_etcd(&b->d->components[component]);
    long op = plan_add(b->p, OP_KIND_INSTANCE_CREATE, it->spec->name, mem_strdup(cause));

    b->p->ops[op].instance = it;
    plan_after(b->p, op, b->image[component]);
    plan_after(b->p, op, b->network);
    for (size_t v = 0; v < it->spec->volumes.count; v++)
        plan_after(b->p, op, volumes[v]);
    /* Everything waits for etcd: it has the machine for itself until it runs, and the others are
     * made while it gets ready. */
    for (size_t i = 0; !is_etcd && i < b->d->count; i++)
        if (strcmp(b->d->items[i].spec->manifest->name, ETCD_COMPONENT) == 0)
            plan_after(b->p, op, b->start[i]);
    return op;
}

static char *replace_cause(const struct builder *b, const struct node *have,
                           const struct desired_instance *it)
{
    auto_strv struct strv changes = {0};

    body_changes(&changes, it->body, node_get(b->w->changed, it->container));
    if (changes.count == 0 && !node_text_is(have, "Image", it->image))
        strv_addf(&changes, "image %s -> %s", node_get_text(have, "Image"), it->image);
    return changes.count ? strv_join(&changes, ", ")
                         : mem_strdup("the container's settings changed");
}

/* Why a container that is there has to be replaced; NULL: it has not. A daemon read its addresses
 * when it started, so one that lost its place in the network is replaced too. Owned. */
static char *why_replace(const struct builder *b, const struct node *have,
                         const struct desired_instance *it)
{
    const char *hash = object_label(have, LABEL_HASH);
    auto_free char *drift = NULL;

    if (!b->o->only && (!hash || strcmp(hash, it->hash) != 0))
        return replace_cause(b, have, it);
    drift = address_drift(b->w, have, b->d->network);
    return drift ? mem_printf("it %s", drift) : NULL;
}

/* What to do about a container that is there as it should be; NULL: nothing. */
static const char *start_cause(const struct node *have)
{
    const char *state = observed_state(have);

    if (strcmp(state, "running") == 0 || strcmp(state, "restarting") == 0)
        return NULL;
    return strcmp(state, "created") == 0 ? "made, never started" : "it is not running";
}

static bool runs(const struct builder *b, const struct desired_instance *it)
{
    const struct node *have = object_find_instance(b->w->containers, it->spec->name);

    return have && !start_cause(have);
}

static long add_stop(struct builder *b, size_t item, const char *cause)
{
    const struct desired_instance *it = &b->d->items[item];
    long stop = plan_add(b->p, OP_KIND_INSTANCE_STOP, it->spec->name, mem_strdup(cause));

    plan_after(b->p, stop, b->name[item]);
    b->p->ops[stop].instance = it;
    b->p->ops[stop].object = mem_strdup(it->container);
    return stop;
}

/*
 * The old container is stopped and set aside, not removed: it comes back when the new one does not
 * get healthy. Nothing is stopped before every image is there. With one_by_one, one that runs waits
 * for those that come before it (builder_add_instances); to replace one that is down costs nothing.
 */
static void add_replace(struct builder *b, size_t component, size_t item, const long *volumes,
                        const char *cause)
{
    const struct desired_instance *it = &b->d->items[item];
    const struct desired_component *c = &b->d->components[component];
    auto_free char *aside = mem_printf("%s" OBJECT_ASIDE, it->container);
    const char *update = c->spec->manifest->update;
    long stop = add_stop(b, item, cause), aside_op, create;

    for (size_t i = 0; i < b->d->component_count; i++)
        plan_after(b->p, stop, b->image[i]);
    if (!builder_is_etcd(c)) {
        plan_after(b->p, stop, b->lock);
        plan_after(b->p, stop, b->etcd);
    }
    /* What others depend on is well again before they are stopped in their turn. */
    for (size_t i = 0; i < c->first; i++)
        if (strv_has(&c->spec->manifest->requires, b->d->items[i].spec->manifest->name))
            plan_after(b->p, stop, b->wait[i]);
    if (runs(b, it) && (!update || strcmp(update, "together") != 0))
        for (size_t k = c->first; k < c->first + c->count; k++)
            plan_after(b->p, stop, b->wait[k]);
    /* One that is aside already, left by a run that was cut short, is the last that was well. */
    if (builder_by_name(b->w->containers, aside)) {
        aside_op = plan_add(b->p, OP_KIND_INSTANCE_REMOVE, it->spec->name,
                            mem_strdup("it never got healthy"));
        b->p->ops[aside_op].object = mem_strdup(it->container);
    } else {
        aside_op = plan_add(b->p, OP_KIND_INSTANCE_RENAME, it->spec->name, NULL);
        b->p->ops[aside_op].object = mem_strdup(it->container);
        b->p->ops[aside_op].rename_to = mem_strdup(aside);
    }
    plan_after(b->p, aside_op, stop);
    create = add_create(b, component, item, volumes, cause);
    plan_after(b->p, create, aside_op);
    add_start(b, item, START_OF_NEW, create, cause);
}

/* The container set aside goes when the new one is well. */
static void add_remove_aside(struct builder *b, size_t item)
{
    const struct desired_instance *it = &b->d->items[item];
    auto_free char *aside = mem_printf("%s" OBJECT_ASIDE, it->container);
    bool there = builder_by_name(b->w->containers, aside) != NULL;
    bool made = b->wait[item] != PLAN_NONE && b->p->ops[b->wait[item]].replaces;
    long op;

    if (!there && !made)
        return;
    op = plan_add(b->p, OP_KIND_INSTANCE_REMOVE, it->spec->name, mem_strdup("the one set aside"));
    b->p->ops[op].object = mem_strdup(aside);
    plan_after(b->p, op, b->wait[item]);
}

static long add_name(struct builder *b, const struct desired_instance *it, const struct node *have)
{
    long op;

    if (!have || object_has_own_name(have))
        return PLAN_NONE;
    op = plan_add(b->p, OP_KIND_INSTANCE_NAME, it->spec->name,
                  mem_printf("its container was renamed to %s", object_name(have)));
    b->p->ops[op].object = mem_strdup(node_get_text(have, "Id"));
    b->p->ops[op].rename_to = mem_strdup(it->container);
    return op;
}

/* A container with the name that an instance's is to have, and that is another. */
static void refuse_foreign(struct builder *b, const struct desired_instance *it)
{
    if (builder_by_name(b->w->others, it->container))
        problems_add(&b->wrong, NULL,
                     "container %s exists and does not belong to this environment; remove it with "
                     "`docker rm -f %s` or choose another environment name",
                     it->container, it->container);
    if (builder_by_name(b->w->strays, it->container))
        problems_add(&b->wrong, NULL,
                     "container %s is a copy of %s and has its name; remove it with `docker rm -f "
                     "%s`, then the same command again",
                     it->container, it->spec->name, it->container);
}

/* The controller does not replace itself: it would be gone in the middle of it, and nobody there to
 * go back. */
static void note_self(struct builder *b, const struct desired_instance *it)
{
    const struct node *have = object_find_instance(b->w->containers, it->spec->name);
    auto_free char *cause = have ? why_replace(b, have, it) : NULL;

    if (cause)
        strv_addf(&b->p->notes, "%s is to be replaced, which `slipway up` does: %s", it->spec->name,
                  cause);
}

/* Who has these rights rules the host: that is said before it is done. */
static void note_rights(struct builder *b, const struct desired_instance *it)
{
    if (it->spec->manifest->role == MANIFEST_ROLE_CONTROLLER)
        strv_addf(&b->p->notes,
                  "%s gets the socket of Docker (" BODY_ENGINE_SOCKET
                  ") and the key of this environment",
                  it->spec->name);
}

static void add_instance(struct builder *b, size_t component, size_t item)
{
    const struct desired_instance *it = &b->d->items[item];
    const struct node *have = object_find_instance(b->w->containers, it->spec->name);
    auto_free char *cause = have ? why_replace(b, have, it) : NULL;
    auto_free long *volumes = mem_array(it->spec->volumes.count + 1, sizeof(long));
    auto_free char *aside = mem_printf("%s" OBJECT_ASIDE, it->container);

    refuse_foreign(b, it);
    builder_refuse_second_writer(b, it, !have || cause || start_cause(have));
    refuse_fewer(b, it);
    if (!b->o->only || !have || cause) { /* one that is only started has what it was made with */
        builder_refuse_moved(b, it);
        add_volumes(b, it, volumes);
    }
    b->name[item] = add_name(b, it, have);
    if (!have) {
        bool resumed = builder_by_name(b->w->containers, aside) != NULL;

        note_rights(b, it);
        long create =
            add_create(b, component, item, volumes, resumed ? "replacing goes on" : "not there");

        add_start(b, item, START_OF_NEW, create, "made by this plan");
        if (!b->o->only || resumed) {
            builder_add_wait(b, item, b->start[item], resumed);
            b->p->ops[b->wait[item]].never_reported =
                !resumed && builder_has_never_reported(b, it->spec->name);
        }
    } else if (cause) {
        add_replace(b, component, item, volumes, cause);
        builder_add_wait(b, item, b->start[item], true);
    } else if (start_cause(have) || b->o->restart) {
        long after = start_cause(have) ? b->network : add_stop(b, item, "it is not well");

        add_start(b, item, START_AGAIN, after, start_cause(have) ? start_cause(have) : "stopped");
        plan_after(b->p, b->start[item], b->name[item]);
        if (!b->o->only)
            builder_add_wait(b, item, b->start[item], false);
    } else if (builder_by_name(b->w->containers, aside)) {
        /* Reports may be of the one aside. */
        builder_add_lost_link(b, item);
        builder_add_wait(b, item, PLAN_NONE, true);
    }
    builder_order_after_users(b, it);
    add_remove_aside(b, item);
}

/* Those that do not run come first: with one of three members down, another one that is replaced
 * would take the quorum with it. */
void builder_add_instances(struct builder *b, size_t component)
{
    const struct desired_component *c = &b->d->components[component];

    for (int running = 0; running < 2; running++)
        for (size_t i = c->first; i < c->first + c->count; i++)
            if (runs(b, &b->d->items[i]) != (running == 1) || !builder_is_about(b, &b->d->items[i]))
                continue;
            else if (builder_is_self(b, &b->d->items[i]))
                note_self(b, &b->d->items[i]);
            else
                add_instance(b, component, i);
}

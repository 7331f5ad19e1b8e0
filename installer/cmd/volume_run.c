/* SPDX-License-Identifier: MIT */
#include "cmd/volume_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"
#include "cmd/out.h"
#include "conf/json.h"
#include "model/applied.h"
#include "model/keys.h"

enum { DEADLINE_MS = 60000, LOCK_WAIT_MS = 10000, POLL_MS = 20, MARGIN_MS = 10000 };

/* ---- what there is ----------------------------------------------------------------------------
 */

static struct node *copy_or_map(const struct node *value)
{
    return value && value->kind == NODE_KIND_MAP ? node_copy(value) : node_new_map();
}

static int load(struct volume_run *r, struct err *e)
{
    struct problems p;
    int result = config_open(&r->state, r->x, NULL, e);

    problems_init(&p, "the document in etcd");
    if (result == 0 && !(r->spec = spec_decode(r->state.document, r->x->catalog, &p)))
        result = problems_result(&p, e);
    problems_clear(&p);
    if (result < 0)
        return -1;
    r->maker = volume_maker(r->spec);
    if (!r->maker)
        return err_set(e, ERR_NOTFOUND, "%s has no component that makes volumes", r->spec->name);
    r->maps.volumes = copy_or_map(node_get(r->maker->config, "volumes"));
    r->maps.pools = copy_or_map(node_get(r->maker->config, "pools"));
    r->attached = volume_attachments(r->spec);
    r->maps.attached = r->attached;
    return 0;
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

int volume_run_open(struct volume_run *r, struct cmd_context *x, const struct volume_options *o,
                    struct err *e)
{
    *r = (struct volume_run){
        .x = x, .options = o, .began = clock_now_ms(), .deadline = cmd_deadline(x, DEADLINE_MS)};
    /* The deadline is the wait's; a call that is under way may end. */
    etcd_set_deadline(x->etcd, r->deadline + MARGIN_MS);
    return load(r, e);
}

int volume_run_again(struct volume_run *r, struct err *e)
{
    unload(r);
    return load(r, e);
}

void volume_run_close(struct volume_run *r)
{
    unload(r);
}

struct node *volume_run_served(const struct volume_run *r, const struct spec_instance *i)
{
    return copy_or_map(spec_value(r->spec, i, "volumes"));
}

/* ---- the word of the agents -------------------------------------------------------------------
 */

char *volume_complaint(const char *error, const char *noun, const struct strv *names)
{
    for (size_t i = 0; i < names->count; i++) {
        auto_free char *head = mem_printf("%s %s: ", noun, names->items[i]);
        const char *at = strstr(error, head), *next;

        /* What was done comes before what went wrong. */
        while (at && (next = strstr(at + 1, head)))
            at = next;
        if (at)
            return mem_strndup(at, strcspn(at, "\n"));
    }
    return strstr(error, ": volume ") || strstr(error, "\nvolume ") ? NULL : mem_strdup(error);
}

enum word { WORD_NONE, WORD_OK, WORD_FAILED };

/* What the instance says of the keys that etcd holds for it now. *why is owned. */
static int ask(enum word *word, char **why, const struct volume_run *r,
               const struct spec_instance *i, struct err *e)
{
    const char *env = r->x->env, *result;
    auto_free char *common = keys_component(env, i->manifest->name);
    auto_free char *own = keys_instance(env, i->name);
    auto_free char *key = keys_instance_applied(env, i->name);
    const char *const names[] = {common, own};
    auto_node struct node *mine = node_new_map(), *applied = NULL;
    const struct etcd_kv *kv;
    struct etcd_kvs kvs = {0};
    int64_t newest = 0, said = 0;
    char hash[65];
    struct err dropped;

    *word = WORD_NONE;
    if (etcd_range_many(&kvs, r->x->etcd, names, ARRAY_LEN(names), e) < 0)
        return -1;
    for (size_t k = 0; k < kvs.count; k++) {
        node_set_text(mine, kvs.items[k].key, kvs.items[k].value);
        if (!applied_is_report(kvs.items[k].key) && kvs.items[k].mod_revision > newest)
            newest = kvs.items[k].mod_revision;
    }
    applied_hash(hash, mine);
    kv = etcd_kvs_find(&kvs, key);
    said = kv ? kv->mod_revision : 0;
    if (kv && json_parse(&applied, key, kv->value, kv->value_len, &dropped) < 0)
        err_drop(&dropped, "the word of an agent");
    etcd_kvs_clear(&kvs);
    result = node_get_text(applied, "result");
    if (!node_get_text(applied, "hash") || strcmp(node_get_text(applied, "hash"), hash) != 0)
        return 0;
    *word = result && strcmp(result, "ok") == 0 ? WORD_OK : WORD_FAILED;
    /* The same wish was refused before, taken back, and is there again: that was another answer. */
    if (*word == WORD_FAILED && said < newest)
        *word = WORD_NONE;
    if (*word == WORD_FAILED)
        *why = mem_strdup(node_get_text(applied, "error") ? node_get_text(applied, "error") : "");
    return 0;
}

static int64_t applied_revision(const struct volume_run *r, const struct spec_instance *i)
{
    auto_free char *key = keys_instance_applied(r->x->env, i->name);
    struct etcd_kv kv = {0};
    struct err dropped;
    int64_t revision;

    if (etcd_get(&kv, r->x->etcd, key, &dropped) < 0)
        return 0;
    revision = kv.mod_revision;
    etcd_kv_clear(&kv);
    return revision;
}

static const char *step_noun(const struct volume_step *s)
{
    return s->noun ? s->noun : "volume";
}

/* *said: all that the agent complains of, when it does; owned. */
static int wait_for(const struct volume_run *r, const struct spec_instance *i,
                    const struct volume_step *s, char **said, struct err *e)
{
    int64_t seen = -1;

    for (;;) {
        int64_t revision = applied_revision(r, i);
        auto_free char *why = NULL;
        enum word word = WORD_NONE;

        if (revision != seen && ask(&word, &why, r, i, e) < 0)
            return -1;
        seen = revision;
        if (word == WORD_OK)
            return 0;
        if (word == WORD_FAILED) {
            auto_free char *mine = volume_complaint(why, step_noun(s), s->names);

            if (mine) {
                *said = steal(why);
                return err_set(e, ERR_UNHEALTHY, "%s: %s", i->name, mine);
            }
            log_warn("%s has trouble with other volumes: %s", i->name, why);
            return 0;
        }
        if (sig_interrupts())
            return err_set(e, ERR_INTERRUPTED, "the change is recorded; %s has not answered yet",
                           i->name);
        if (clock_passed(r->deadline))
            return err_set(e, ERR_TIMEOUT,
                           "the change is recorded, but %s has not answered in time; `slipway "
                           "status` says how it is",
                           i->name);
        clock_sleep_ms(POLL_MS);
    }
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

bool volume_run_alive(const struct volume_run *r, const struct spec_instance *i)
{
    auto_free char *key = keys_instance_status(r->x->env, i->name);
    struct etcd_kv kv = {0};
    struct err dropped;

    if (etcd_get(&kv, r->x->etcd, key, &dropped) < 0)
        return false;
    etcd_kv_clear(&kv);
    return true;
}

static int need_alive(const struct volume_run *r, const char *target, struct err *e)
{
    const struct spec_instance *i;

    for (int at = 0; (i = next_instance(r, target, &at));)
        if (!volume_run_alive(r, i))
            return err_set(e, ERR_UNHEALTHY,
                           "%s does not answer, nothing was changed; `slipway status` says how it "
                           "is",
                           i->name);
    return 0;
}

/* ---- a step -----------------------------------------------------------------------------------
 */

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
    struct config_commit c = {.what = s->what,
                              .unrecorded = r->options->unrecorded,
                              .lock_wait_ms = r->options->lock_wait_ms ? r->options->lock_wait_ms
                                                                       : LOCK_WAIT_MS};

    if (config_aim(&r->state, s->target, e) < 0)
        return -1;
    if (is_common(r, s, map))
        config_unset(&r->state, s->key);
    else
        node_set(config_map(&r->state), s->key, node_copy(map));
    if (config_plan_or_say(&r->state, e) < 0)
        return -1;
    return config_store(&r->state, &c, e);
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

/* Puts the entries back as they were. Others may have changed theirs meanwhile. The step may name
 * parts of the specification that is read again. */
static void take_back(struct volume_run *r, const struct volume_step *s, const struct node *old,
                      const char *said)
{
    auto_free char *target = mem_strdup(s->target);
    auto_node struct node *asked = node_copy(s->map);
    struct volume_step again = *s;
    auto_node struct node *map = NULL;
    struct err e;

    if (volume_run_again(r, &e) < 0) {
        err_drop(&e, "taking the change back");
        return;
    }
    again.target = target;
    map = copy_or_map(in_effect(r, &again));
    for (size_t i = 0; i < s->names->count; i++) {
        const struct node *entry = node_get(old, s->names->items[i]);
        bool deleted = is_deleted(asked, s->names->items[i], step_noun(s), said);

        if (deleted)
            log_warn("%s %s is gone, as asked", step_noun(s), s->names->items[i]);
        if (entry && !deleted)
            node_set(map, s->names->items[i], node_copy(entry));
        else
            node_remove(map, s->names->items[i]);
    }
    if (store(r, &again, map, &e) < 0)
        log_warn("the change stays recorded: %s", e.msg);
}

int volume_run_step(struct volume_run *r, const struct volume_step *s, struct err *e)
{
    bool wait = !s->no_wait && !r->options->no_wait;
    auto_node struct node *old = copy_or_map(in_effect(r, s));
    auto_free char *said = NULL;
    const struct spec_instance *i;
    int result = 0;

    if (wait && need_alive(r, s->target, e) < 0)
        return -1;
    if (store(r, s, s->map, e) < 0)
        return -1;
    for (int at = 0; wait && result == 0 && (i = next_instance(r, s->target, &at));)
        result = wait_for(r, i, s, &said, e);
    if (result < 0 && e->code == ERR_UNHEALTHY)
        take_back(r, s, old, said);
    return result;
}

int volume_run_put(struct volume_run *r, const char *what, const struct strv *names, bool wait,
                   struct err *e)
{
    struct volume_step s = {.what = what,
                            .target = r->maker->manifest->name,
                            .key = "volumes",
                            .map = r->maps.volumes,
                            .names = names,
                            .no_wait = !wait};

    return volume_run_step(r, &s, e);
}

void volume_run_say(const struct volume_run *r, const struct strv *names, const char *done)
{
    int64_t ms = clock_now_ms() - r->began;

    if (r->x->json) {
        auto_node struct node *root = node_new_map();
        struct node *list = node_set(root, "volumes", node_new_list());

        for (size_t i = 0; i < names->count; i++)
            node_add_text(list, names->items[i]);
        node_set_text(root, "done", done);
        node_set_bool(root, "acknowledged", !r->options->no_wait);
        node_set_int(root, "ms", ms);
        out_json(root);
        return;
    }
    for (size_t i = 0; !r->x->quiet && i < names->count; i++)
        printf("%s: %s\n", names->items[i], done);
}

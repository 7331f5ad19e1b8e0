/* SPDX-License-Identifier: MIT */
#include "env/held.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"
#include "plan/audit.h"
#include "plan/object.h"

enum {
    BATCH = 40, /* names in one transaction, with up to three operations each */
    UNMARK_MS = 5000,
};

static char *key_of(const struct held_set *o, const char *env, const char *name)
{
    if (!name)
        return keys_controller_paused(env);
    return o->why == HELD_WHY_PAUSED ? keys_controller_held(env, name)
                                     : keys_controller_stopped(env, name);
}

static char *value_of(const struct env *env)
{
    auto_node struct node *n = node_new_map();
    auto_free char *who = audit_who(env->user);
    char now[32];

    clock_format(now, clock_wall_ms());
    node_set_text(n, "who", who);
    node_set_text(n, "since", now);
    return json_text(n);
}

/* "component/instance", as the audit has its targets. */
static char *target_of(const struct env *env, const char *name)
{
    const char *component =
        object_label(object_find_instance(env->containers, name), LABEL_COMPONENT);

    return component ? mem_printf("%s/%s", component, name) : mem_strdup(name);
}

static void add_audit(struct etcd_txn *t, const struct env *env, const struct held_set *o,
                      size_t first, size_t end)
{
    static const char *const what[][2] = {{"pause", "resume"}, {"stop", "start"}};
    auto_node struct node *detail = node_new_map();
    auto_strv struct strv targets = {0};
    auto_free char *text = NULL;

    for (size_t i = first; o->names && i < end; i++)
        strv_take(&targets, target_of(env, o->names->items[i]));
    text = targets.count ? strv_join(&targets, " ") : mem_strdup(env->name);
    node_set_text(detail, "target", text);
    audit_add(t, env->name, env->user, what[o->why][o->off], detail);
}

/* One that is there keeps who said it first. */
static int write_batch(struct env *env, const struct held_set *o, size_t first, size_t end,
                       const struct etcd_kvs *have, struct err *e)
{
    auto_free char *value = value_of(env);
    struct etcd_txn *t = etcd_txn_new();
    size_t count = 0;
    int r = 0;

    for (size_t i = first; i < end; i++) {
        auto_free char *key = key_of(o, env->name, o->names ? o->names->items[i] : NULL);

        if ((etcd_kvs_find(have, key) != NULL) != o->off)
            continue;
        count++;
        if (o->off)
            etcd_txn_delete(t, key);
        else
            etcd_txn_put(t, key, value, 0);
    }
    if (count) {
        add_audit(t, env, o, first, end);
        r = etcd_txn_run(env->etcd, t, NULL, e);
        env->changed = env->changed || r == 0;
    }
    etcd_txn_free(t);
    return r;
}

int held_set(struct env *env, const struct held_set *o, struct err *e)
{
    auto_free char *prefix = keys_controller(env->name, "");
    size_t count = o->names ? o->names->count : 1;
    struct etcd_kvs have = {0};
    int r = etcd_range(&have, env->etcd, prefix, e);

    for (size_t i = 0; r == 0 && i < count; i += BATCH)
        r = write_batch(env, o, i, i + BATCH < count ? i + BATCH : count, &have, e);
    etcd_kvs_clear(&have);
    return r;
}

void held_tell_stopped(struct env *env, const struct strv *names, bool stopped)
{
    const struct held_set o = {.why = HELD_WHY_STOPPED, .off = !stopped, .names = names};
    struct err e;

    if (env_need(env, ENV_NEEDS_ETCD, &e) < 0 || held_set(env, &o, &e) < 0)
        err_drop(&e, "telling etcd which instances are to run");
}

/* A stop that failed or was interrupted: what still runs is not stopped on purpose. */
static void unmark_running(struct env *env, const struct strv *names)
{
    auto_node struct node *list = NULL;
    auto_strv struct strv left = {0};
    struct err e;

    if (!env->etcd)
        return;
    engine_set_until(env->engine, until_in(UNMARK_MS, NULL));
    etcd_set_until(env->etcd, until_in(UNMARK_MS, NULL));
    if (object_containers(&list, env->engine, env->key.uuid, &e) < 0) {
        err_drop(&e, "what was not stopped");
        return;
    }
    for (size_t i = 0; i < names->count; i++)
        if (node_text_is(object_find_instance(list, names->items[i]), "State", "running"))
            strv_add(&left, names->items[i]);
    if (left.count)
        held_tell_stopped(env, &left, false);
}

int held_start_stop(struct env *env, const struct strv *names, const struct start_stop_opts *o,
                    const struct start_stop_events *ev, struct err *e)
{
    int r;

    /* Before: whoever keeps the environment would start it again. */
    if (o->verb == START_STOP_STOP && !(env->o.self && strv_has(names, env->o.self)))
        held_tell_stopped(env, names, true);
    r = start_stop_run(env, names, o, ev, e);
    if (o->verb == START_STOP_STOP) {
        if (r < 0)
            unmark_running(env, names);
        return r;
    }
    /* It may be etcd itself that was started: where that is says a new list. */
    if (!env->etcd)
        node_free(steal(env->containers));
    held_tell_stopped(env, names, false);
    return r;
}

/* ---- what they say ---- */

bool held_is(const struct etcd_kvs *keys, const char *env, const char *instance)
{
    auto_free char *all = keys_controller_paused(env);
    auto_free char *one = keys_controller_held(env, instance);
    auto_free char *stopped = keys_controller_stopped(env, instance);

    return etcd_kvs_find(keys, all) || etcd_kvs_find(keys, one) || etcd_kvs_find(keys, stopped);
}

/* "VERB by ann@box since 2026-...", owned; NULL: the key is not there. Takes the key. */
static char *said(const struct observed *w, char *key, const char *verb)
{
    const char *text = observed_value(w, key), *who, *since;
    auto_node struct node *n = NULL;
    struct err e;

    free(key);
    if (!text)
        return NULL;
    if (json_parse(&n, "held", text, strlen(text), &e) < 0)
        err_drop(&e, "who holds an instance");
    who = node_get_text(n, "who");
    since = node_get_text(n, "since");
    return mem_printf("%s by %s since %s", verb, who ? who : "?", since ? since : "?");
}

struct node *held_row(const struct observed *w, const char *env, const char *instance, bool running)
{
    auto_free char *paused = said(w, keys_controller_held(env, instance), "paused");
    auto_free char *stopped =
        running ? NULL : said(w, keys_controller_stopped(env, instance), "stopped");
    struct node *n;

    if (!paused && !stopped)
        return NULL;
    n = node_new_map();
    node_set_bool(n, "paused", paused != NULL);
    node_set_bool(n, "stopped", stopped != NULL);
    node_set_text(n, "state", stopped ? "stopped" : "paused");
    node_set_text(n, "cause", stopped ? stopped : paused);
    return n;
}

struct node *held_environment(const struct observed *w, const char *env)
{
    auto_free char *paused = said(w, keys_controller_paused(env), "paused");
    auto_free char *key = keys_controller_leader(env);
    const char *text = observed_value(w, key);
    auto_node struct node *leader = NULL;
    struct node *n;
    struct err e;

    if (!paused && !text)
        return NULL;
    n = node_new_map();
    node_set_bool(n, "paused", paused != NULL);
    node_set_text(n, "state", paused ? "paused" : "keeping");
    if (paused)
        node_set_text(n, "detail", paused);
    if (text && json_parse(&leader, "leader", text, strlen(text), &e) < 0)
        err_drop(&e, "who keeps the environment");
    if (leader) {
        auto_free char *holder = mem_printf("slipwayd on %s", node_get_text(leader, "host"));

        node_set_text(n, "holder", holder);
    }
    return n;
}

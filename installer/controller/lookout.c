/* SPDX-License-Identifier: MIT */
#include "controller/lookout.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "controller/controller.h"
#include "env/lock.h"
#include "model/keys.h"
#include "plan/lock.h"
#include "plan/lock_owner.h"
#include "plan/object.h"

enum { AGAIN_MS = 1000, WATCH_SILENCE_MS = 60000 };

static bool on_stop(void *arg)
{
    const struct lookout *l = arg;

    return cancel_count(&l->c->stop) > 0;
}

static void rest(const struct lookout *l)
{
    until_sleep_ms((struct until){.cancel = &l->c->stop}, AGAIN_MS);
}

/* ---- Docker ---- */

static void on_docker(void *arg, const struct node *event)
{
    struct lookout *l = arg;

    (void)event;
    view_poke(&l->c->view);
}

/* Asked each 200 ms. By the third time the stream has begun: one look is for what was before. */
static bool on_docker_stop(void *arg)
{
    struct lookout *l = arg;

    if (l->asked < 3 && ++l->asked == 3)
        view_poke(&l->c->view);
    return on_stop(l);
}

static int hear_docker(struct lookout *l, struct err *e)
{
    struct env_opts o = l->c->env;
    struct env *env = NULL;
    int r;

    o.cancel = &l->c->stop;
    r = env_open(&env, &o, ENV_NEEDS_NAME | ENV_NEEDS_ENGINE | ENV_NEEDS_KEY, e);
    if (r == 0) {
        auto_free char *label = mem_printf("%s=%s", LABEL_ENV, env->key.uuid);
        const struct engine_event_opts events = {
            .label = label, .event = on_docker, .stop = on_docker_stop, .arg = l};

        l->asked = 0;
        r = engine_events(env->engine, &events, e);
    }
    env_close(env);
    return r;
}

static void *run_docker(void *arg)
{
    struct lookout *l = arg;
    struct err e;

    while (!on_stop(l)) {
        if (hear_docker(l, &e) < 0)
            err_drop(&e, "Docker's events");
        rest(l);
    }
    return NULL;
}

/* ---- etcd ---- */

int lookout_read_people(struct controller *c, struct err *e)
{
    struct access now = {0};
    struct env *env = store_begin(&c->store, e);
    auto_node struct node *nothing = NULL;
    int r;

    if (!env)
        return -1;
    r = access_load(&now, env->etcd, env->name, e);
    if (r == 0)
        access_remove_expired(env->etcd, env->name, &now);
    store_end(&c->store, r < 0 ? e : NULL);
    if (r < 0 || !people_take(&c->people, &now))
        return r;
    nothing = node_new_map();
    events_publish(&c->events, "users", ACCESS_ROLE_ADMIN, nothing);
    return 0;
}

static void read_people(struct controller *c)
{
    struct err e;

    if (lookout_read_people(c, &e) < 0)
        err_drop(&e, "users and tokens");
}

static void tell_configuration(struct lookout *l, const struct keys_path *k, int64_t revision)
{
    auto_node struct node *n = node_new_map();

    if (k->kind == KEYS_KIND_SPEC)
        node_set_text(n, "target", "document");
    else
        node_set_text(n, "target", k->instance[0] ? k->instance : k->component);
    node_set_int(n, "revision", revision);
    events_publish(&l->c->events, "configuration", ACCESS_ROLE_VIEWER, n);
    if (k->name && (strcmp(k->name, "volumes") == 0 || strcmp(k->name, "pools") == 0)) {
        node_remove(n, "target");
        events_publish(&l->c->events, "volumes", ACCESS_ROLE_VIEWER, n);
    }
}

static void tell_held(struct lookout *l, const char *name)
{
    const char *slash = strchr(name, '/');

    if (strcmp(name, "paused") == 0)
        keeper_hold(&l->c->keeper, NULL);
    else if (slash)
        keeper_hold(&l->c->keeper, slash + 1);
}

static int on_key(void *arg, const struct etcd_event *ev, int64_t revision)
{
    struct lookout *l = arg;
    struct keys_path k;

    if (!keys_parse(&k, ev->kv.key))
        return 0;
    switch (k.kind) {
    case KEYS_KIND_CONTROLLER_USER:
    case KEYS_KIND_CONTROLLER_TOKEN:
        read_people(l->c);
        break;
    case KEYS_KIND_SPEC:
    case KEYS_KIND_COMPONENT_CONFIG:
    case KEYS_KIND_INSTANCE_CONFIG:
        tell_configuration(l, &k, revision);
        keeper_forgive(&l->c->keeper);
        view_poke(&l->c->view);
        break;
    case KEYS_KIND_INSTANCE_APPLIED:
    case KEYS_KIND_INSTANCE_STATUS:
    case KEYS_KIND_INSTANCE_META:
    case KEYS_KIND_COMPONENT_SHARED:
        view_poke(&l->c->view);
        break;
    case KEYS_KIND_CONTROLLER: /* who keeps it, and what is left alone */
        if (!ev->deleted)
            tell_held(l, k.name);
        view_poke(&l->c->view);
        break;
    case KEYS_KIND_LOCK:
        /* What the keeper holds itself is in no way of it. */
        keeper_set_locked(&l->c->keeper,
                          !ev->deleted && !lock_owner_is_command(ev->kv.value, LOCK_KEEPER));
        break;
    default: /* the journal, what was asked of us */
        break;
    }
    return 0;
}

static int on_reset(void *arg, const struct etcd_kvs *all)
{
    struct lookout *l = arg;

    (void)all;
    read_people(l->c);
    view_poke(&l->c->view);
    return 0;
}

/* Whoever had it before somebody listened. */
static void read_lock(struct lookout *l, const struct env *env)
{
    struct node *holder = NULL;
    struct err e;

    if (env_lock_holder(&holder, env, &e) < 0)
        err_drop(&e, "who has the lock");
    else
        keeper_set_locked(&l->c->keeper, holder && !node_text_is(holder, "command", LOCK_KEEPER));
    node_free(holder);
}

static int watch_etcd(struct lookout *l, struct err *e)
{
    struct env_opts o = l->c->env;
    struct env *env = NULL;
    int r;

    o.cancel = &l->c->stop;
    r = env_open(&env, &o, ENV_NEEDS_NAME | ENV_NEEDS_ETCD, e);
    if (r == 0) {
        auto_free char *prefix = keys_env(env->name);
        const char *const prefixes[] = {prefix};
        const struct etcd_watch_opts w = {.prefixes = prefixes,
                                          .prefix_count = 1,
                                          .silence_ms = WATCH_SILENCE_MS,
                                          .event = on_key,
                                          .reset = on_reset,
                                          .stop = on_stop,
                                          .deadline = CLOCK_NEVER,
                                          .arg = l};

        read_people(l->c);
        read_lock(l, env);
        view_poke(&l->c->view);
        etcd_set_until(env->etcd, (struct until){.cancel = &l->c->stop});
        r = etcd_watch_run(env->etcd, &w, e);
    }
    env_close(env);
    return r;
}

static void *run_etcd(void *arg)
{
    struct lookout *l = arg;
    struct err e;

    while (!on_stop(l)) {
        if (watch_etcd(l, &e) < 0)
            err_drop(&e, "the watch on etcd");
        rest(l);
    }
    return NULL;
}

/* ---- both ---- */

int lookout_start(struct lookout *l, struct controller *c, struct err *e)
{
    *l = (struct lookout){.c = c};
    if (thread_start(&l->docker, NULL, run_docker, l) == 0)
        l->started++;
    if (l->started == 1 && thread_start(&l->etcd, NULL, run_etcd, l) == 0)
        l->started++;
    return l->started == 2 ? 0 : err_set(e, ERR_SYS, "a thread could not be started");
}

void lookout_stop(struct lookout *l)
{
    if (l->started > 0)
        pthread_join(l->docker, NULL);
    if (l->started > 1)
        pthread_join(l->etcd, NULL);
    l->started = 0;
}

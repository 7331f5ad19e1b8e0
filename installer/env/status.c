/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "env/held.h"
#include "env/instances.h"
#include "env/key.h"
#include "env/document_path.h"
#include "env/status.h"
#include "conf/json.h"
#include "model/applied.h"
#include "model/edits.h"
#include "model/keys.h"
#include "plan/address.h"
#include "plan/object.h"

enum { HASH_SHOWN = 12 };

/* Parsed JSON value of a key, or NULL. Takes the key. */
static struct node *value_of(const struct observed *w, char *key)
{
    const char *text = observed_value(w, key);
    struct node *n = NULL;
    struct err e;

    free(key);
    if (text && json_parse(&n, "etcd", text, strlen(text), &e) < 0)
        err_drop(&e, "a report of an instance");
    return n;
}

/* The instances that there are, and should be, each with its container: looked for once, since an
 * environment may have a thousand. */
struct found {
    char *name;                   /* owned */
    const struct node *container; /* NULL: none, or one that is set aside */
};
struct found_list {
    struct found *items;
    size_t count;
};

static void found_add(struct found_list *l, const char *name, const struct node *container)
{
    l->items[l->count++] = (struct found){mem_strdup(name), container};
}

static void found_clear(struct found_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->items[i].name);
    free(l->items);
}
#define auto_found __attribute__((cleanup(found_clear)))

/* As instances_sort has names; of one name, that with a container first. */
static int by_name(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    int order = strverscmp(x->name, y->name);

    return order ? order : !x->container - !y->container;
}

static void found_sort(struct found_list *l)
{
    size_t kept = 0;

    if (l->count == 0)
        return;
    qsort(l->items, l->count, sizeof(*l->items), by_name);
    for (size_t i = 1; i < l->count; i++)
        if (strcmp(l->items[i].name, l->items[kept].name) == 0)
            free(l->items[i].name);
        else
            l->items[++kept] = l->items[i];
    l->count = kept + 1;
}

/* Instances with a container, and those that etcd says there should be. */
static void find_all(struct found_list *out, const struct observed *w, const char *env)
{
    auto_strv struct strv stored = {0};
    const struct node *c;

    keys_instances(&stored, &w->keys);
    out->items = mem_array(w->containers->count + stored.count + 1, sizeof(*out->items));
    node_for_each (c, w->containers) {
        const char *name = object_label(c, LABEL_INSTANCE);

        if (name)
            found_add(out, name, object_is_aside(c) ? NULL : c);
    }
    for (size_t i = 0; i < stored.count; i++) {
        auto_free char *meta = keys_instance_meta(env, stored.items[i]);

        if (observed_value(w, meta))
            found_add(out, stored.items[i], NULL);
    }
    found_sort(out);
}

static void set_hash(struct node *n, const char *key, const char *hash)
{
    auto_free char *shown = hash ? mem_strndup(hash, strnlen(hash, HASH_SHOWN)) : NULL;

    if (shown)
        node_set_text(n, key, shown);
}

static struct node *config_of(const struct observed *w, const char *env, const char *name,
                              const char *component)
{
    auto_node struct node *applied = value_of(w, keys_instance_applied(env, name));
    struct node *n = node_new_map();
    const char *hash = node_get_text(applied, "hash"), *result = node_get_text(applied, "result");
    const struct node *pending = node_get(applied, "pending");
    char desired[65];
    int64_t newest = applied_hash_stored(desired, &w->keys, env, component, name);

    node_set_bool(n, "current", applied_judge(applied, desired, newest) == APPLIED_IS_OK);
    set_hash(n, "desired", desired);
    node_set_int(n, "desired_revision", newest);
    set_hash(n, "applied", hash);
    if (applied)
        node_set_int(n, "revision", node_get_int(applied, "revision", 0));
    if (result)
        node_set_text(n, "result", result);
    if (node_get_text(applied, "error"))
        node_set_text(n, "error", node_get_text(applied, "error"));
    if (pending && pending->count)
        node_set(n, "pending", node_copy(pending));
    return n;
}

static const char *address_of(const struct node *container, const struct node *meta)
{
    const char *address = object_address(container);

    return address ? address : node_get_text(meta, "address");
}

/* Its place in the network is not its own any more, which its agent, which has no network, cannot
 * say. */
static void add_drift(struct node *row, const struct observed *w, const char *env,
                      const struct node *container)
{
    auto_free char *network = object_network_name(env);
    auto_free char *drift = address_drift(w, container, network);
    auto_free char *reason = drift ? mem_printf("%s; `slipway up` mends it", drift) : NULL;

    if (!reason)
        return;
    node_set_text(row, "health", "unhealthy");
    node_set_text(row, "reason", reason);
    node_set_bool(row, "ok", false);
    node_set_bool(row, "drifted", true);
}

/* That data is gone with its volume, which no agent says where there is no container. */
static void add_lost(struct node *row, const struct observed *w, const char *env,
                     const struct node *spec, const char *name)
{
    auto_node struct node *applied = value_of(w, keys_instance_applied(env, name));
    auto_strv struct strv volumes = {0};

    spec_volume_names(&volumes, node_get(spec, "document"), node_get_text(row, "component"), name,
                      1);
    for (size_t i = 0; i < volumes.count && node_text_is(applied, "data", "true"); i++) {
        const char *volume = volumes.items[i];
        const struct node *have = observed_named(w->volumes, volume);
        auto_free char *first = spec_volume_name(env, name, 1);
        auto_free char *gone = mem_printf("its data is gone: there is no volume %s", volume);
        auto_free char *other =
            mem_printf("its data is gone: volume %s is not the one that was made for it", volume);

        if (!have)
            node_set_text(row, "reason", gone);
        else if (!object_label(have, LABEL_ENV) && strcmp(volume, first) == 0)
            node_set_text(row, "reason", other);
    }
}

/* Which agent it is: the image's, or one that was deployed since. */
static void add_release(struct node *n, const struct node *status)
{
    const char *release = node_get_text(status, "release");
    char since[32];

    if (!release)
        return;
    set_hash(n, "release", release);
    if (node_get(status, "release_since")) {
        clock_format(since, node_get_int(status, "release_since", 0));
        node_set_text(n, "release_since", since);
    }
    if (node_get(status, "bad"))
        node_set(n, "bad_releases", node_copy(node_get(status, "bad")));
}

/* How its last run ended, which Docker's list says as "Exited (137) 2 seconds ago". */
static void add_exit(struct node *n, const struct node *container)
{
    const char *text = node_get_text(container, "Status");
    int status;

    if (text && sscanf(text, "Exited (%d)", &status) == 1)
        node_set_int(n, "exit", status);
}

/* What is said of it by whoever keeps the environment. */
static void add_held(struct node *n, const struct observed *w, const char *env, const char *name)
{
    struct node *held = held_row(w, env, name, node_text_is(n, "container", "running"));

    if (held)
        node_set(n, "keeper", held);
}

/* `spec`: what was accepted; needed of an instance without a container alone. */
static struct node *row_of(const struct observed *w, const char *env, const struct node *spec,
                           const struct found *f)
{
    const struct node *c = f->container;
    const char *name = f->name;
    auto_node struct node *meta = value_of(w, keys_instance_meta(env, name));
    auto_node struct node *status = value_of(w, keys_instance_status(env, name));
    const char *component = c ? object_label(c, LABEL_COMPONENT) : NULL;
    const char *state = c ? observed_state(c) : "missing",
               *reason = node_get_text(status, "reason");
    const char *health = node_get_text(status, "health"), *shown = state;
    struct node *n = node_new_map();
    bool running = strcmp(state, "running") == 0;
    char since[32];

    if (!component)
        component = node_get_text(meta, "component");
    if (running) /* the agent knows better than Docker; without its word nobody knows */
        shown = status ? node_get_text(status, "state") : w->etcd_answers ? "silent" : "unknown";
    node_set_text(n, "instance", name);
    node_set_text(n, "component", component ? component : "");
    node_set_text(n, "container", state);
    if (c)
        node_set_text(n, "via", object_label(c, LABEL_SSH) ? "ssh" : "docker");
    node_set_text(n, "state", shown ? shown : "unknown");
    node_set_text(n, "health", running && health ? health : "unknown");
    if (running && reason && *reason)
        node_set_text(n, "reason", reason);
    node_set_bool(n, "ok",
                  running && shown && strcmp(shown, "ready") == 0 &&
                      (!health || strcmp(health, "unhealthy") != 0));
    if (running && node_get(status, "since")) {
        clock_format(since, node_get_int(status, "since", 0));
        node_set_text(n, "since", since);
    }
    node_set_int(n, "restarts", node_get_int(status, "restarts", 0));
    if (running && node_get(status, "ended"))
        node_set(n, "ended", node_copy(node_get(status, "ended")));
    if (address_of(c, meta))
        node_set_text(n, "address", address_of(c, meta));
    if (node_get_text(c, "Image"))
        node_set_text(n, "image", node_get_text(c, "Image"));
    if (node_get_text(c, "Id"))
        set_hash(n, "id", node_get_text(c, "Id"));
    if (c && !object_has_own_name(c))
        node_set_text(n, "renamed_to", object_name(c));
    if (node_get_text(status, "agent"))
        node_set_text(n, "agent", node_get_text(status, "agent"));
    add_release(n, status);
    if (running)
        add_drift(n, w, env, c);
    if (!c)
        add_lost(n, w, env, spec, name);
    add_exit(n, c);
    add_held(n, w, env, name);
    if (w->etcd_answers)
        node_set(n, "config", config_of(w, env, name, component ? component : ""));
    return n;
}

static struct node *rows_of(const struct observed *w, const char *env, const struct found_list *all)
{
    auto_node struct node *spec = NULL;
    struct node *list = node_new_list();

    for (size_t i = 0; i < all->count; i++) {
        if (!all->items[i].container && !spec)
            spec = value_of(w, keys_spec(env)); /* once, and most of the time not at all */
        node_add(list, row_of(w, env, spec, &all->items[i]));
    }
    return list;
}

struct node *status_instances(const struct observed *w, const char *env)
{
    auto_found struct found_list all = {0};

    find_all(&all, w, env);
    return rows_of(w, env, &all);
}

static bool is_healthy(const struct node *instances, const struct node *etcd)
{
    const struct node *i, *alarms = node_get(etcd, "alarms");

    node_for_each (i, instances) {
        const struct node *config = node_get(i, "config");
        const char *result = node_get_text(config, "result");

        if (!node_get_bool(i, "ok", false) || (result && strcmp(result, "failed") == 0))
            return false;
    }
    return instances->count > 0 && node_get_bool(etcd, "answers", false) &&
           !(alarms && alarms->count);
}

/* Containers with the labels of an instance that are another one. */
static struct node *strays_of(const struct observed *w)
{
    struct node *list = node_new_list();
    const struct node *c;

    node_for_each (c, w->strays) {
        const char *instance = object_label(c, LABEL_INSTANCE);
        struct node *n = node_add(list, node_new_map());

        node_set_text(n, "container", object_name(c));
        node_set_text(n, "instance", instance ? instance : "");
        node_set_text(n, "state", observed_state(c));
    }
    return list;
}

/* Docker counts how often a container ended by itself and was started again; its agent, how often
 * it restarted the daemon for a configuration. Only an inspection tells the first. */
static void add_crashes(struct node *instances, const struct found_list *all, struct engine *g)
{
    for (size_t i = 0; i < instances->count; i++) {
        struct node *row = instances->items[i];
        const struct node *c = all->items[i].container;
        auto_node struct node *seen = NULL;
        int64_t crashes;
        struct err e;

        if (!c)
            continue;
        if (engine_container_inspect(&seen, g, node_get_text(c, "Id"), &e) < 0) {
            err_drop(&e, "how often an instance was started again");
            continue;
        }
        crashes = node_get_int(seen, "RestartCount", 0);
        node_set_int(row, "crashes", crashes);
        node_set_int(row, "restarts", node_get_int(row, "restarts", 0) + crashes);
    }
}

/* The file that it was made from may have been edited, or a command changed what is in force. */
static void add_note(struct node *status, const struct observed *w, struct env *env)
{
    auto_free char *key = keys_spec(env->name);
    const struct etcd_kv *kv = etcd_kvs_find(&w->keys, key);
    struct edits_document d = {0};
    auto_free char *path = document_path_load(env), *note = NULL;
    struct err e;

    if (!kv || !path) /* nothing to compare with: no reason to read the catalog */
        return;
    if (env_need(env, ENV_NEEDS_CATALOG, &e) < 0 ||
        edits_document_parse(&d, kv, &w->keys, env->name, env->catalog, &e) < 0)
        err_drop(&e, "comparing the file with the document in force");
    else
        note = document_path_difference(env, d.document);
    if (note)
        node_set_text(status, "note", note);
    edits_document_clear(&d);
}

int status_read(struct node **out, struct env *env, struct err *e)
{
    auto_observed struct observed *w = NULL;
    auto_found struct found_list all = {0};
    struct node *n, *instances, *etcd, *keeper;

    if (env_need(env, ENV_NEEDS_ENGINE | ENV_NEEDS_KEY, e) < 0)
        return -1;
    if (observed_observe(&w, env->engine, env->name, &env->key, NULL, e) < 0 ||
        (w->containers->count == 0 && env_key_check(env, e) < 0))
        return -1;
    n = node_new_map();
    node_set_text(n, "environment", env->name);
    node_set_text(n, "uuid", env->key.uuid);
    find_all(&all, w, env->name);
    instances = rows_of(w, env->name, &all);
    add_crashes(instances, &all, env->engine);
    etcd = status_etcd(w, env);
    node_set_bool(n, "healthy", is_healthy(instances, etcd));
    node_set(n, "instances", instances);
    node_set(n, "etcd", etcd);
    node_set(n, "strays", strays_of(w));
    keeper = held_environment(w, env->name);
    if (keeper)
        node_set(n, "keeper", keeper);
    add_note(n, w, env);
    *out = n;
    return 0;
}

int status_select(struct node *status, const struct env *env, const struct strv *words,
                  struct err *e)
{
    auto_strv struct strv names = {0};
    auto_node struct node *kept = node_new_list();
    const struct node *row;

    if (instances_select_rows(&names, env, node_get(status, "instances"), words, e) < 0)
        return -1;
    node_for_each (row, node_get(status, "instances")) {
        if (strv_has(&names, node_get_text(row, "instance")))
            node_add(kept, node_copy(row));
    }
    node_set_bool(status, "healthy", is_healthy(kept, node_get(status, "etcd")));
    node_set(status, "instances", steal(kept));
    return 0;
}

int status_names(struct strv *out, struct env *env, const struct strv *words, struct err *e)
{
    auto_node struct node *status = NULL;

    if (status_read(&status, env, e) < 0)
        return -1;
    return instances_select_rows(out, env, node_get(status, "instances"), words, e);
}

/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/instances.h"
#include "cmd/status.h"
#include "conf/json.h"
#include "model/applied.h"
#include "model/keys.h"
#include "plan/connect.h"

enum { ETCD_DEADLINE_MS = 3000, HASH_SHOWN = 12 };

/* Parsed JSON value of a key, or NULL. Takes the key. */
static struct node *value_of(const struct world *w, char *key)
{
    const char *text = world_value(w, key);
    struct node *n = NULL;
    struct err e;

    free(key);
    if (text && json_parse(&n, "etcd", text, strlen(text), &e) < 0)
        err_drop(&e, "a report of an instance");
    return n;
}

/* Instances with a container, and those that etcd says there should be. */
static void names_of(struct strv *out, const struct world *w, const char *env)
{
    auto_free char *root = keys_env(env);
    auto_free char *prefix = mem_printf("%sinstances/", root);
    size_t len = strlen(prefix);
    const struct node *c;

    node_for_each (c, w->containers) {
        const char *name = connect_label(c, LABEL_INSTANCE);
        if (name && !strv_has(out, name))
            strv_add(out, name);
    }
    for (size_t i = 0; i < w->keys.count; i++) {
        const char *key = w->keys.items[i].key, *slash;
        if (strncmp(key, prefix, len) != 0)
            continue;
        slash = strchr(key + len, '/');
        if (slash && strcmp(slash, "/meta") == 0) {
            auto_free char *name = mem_strndup(key + len, (size_t)(slash - key) - len);
            if (!strv_has(out, name))
                strv_add(out, name);
        }
    }
    instances_sort(out);
}

/* Hash over what etcd holds for an instance now: its own keys and its component's; and the revision
 * of the newest of them. */
static int64_t desired_hash(char out[65], const struct world *w, char *own, char *common)
{
    auto_node struct node *mine = node_new_map();
    int64_t newest = 0;

    for (size_t i = 0; i < w->keys.count; i++) {
        const struct etcd_kv *kv = &w->keys.items[i];
        if (strncmp(kv->key, own, strlen(own)) == 0 ||
            strncmp(kv->key, common, strlen(common)) == 0) {
            node_set_text(mine, kv->key, kv->value);
            if (kv->mod_revision > newest && !applied_is_report(kv->key))
                newest = kv->mod_revision;
        }
    }
    applied_hash(out, mine);
    free(own);
    free(common);
    return newest;
}

static void set_hash(struct node *n, const char *key, const char *hash)
{
    auto_free char *shown = hash ? mem_strndup(hash, strnlen(hash, HASH_SHOWN)) : NULL;

    if (shown)
        node_set_text(n, key, shown);
}

static struct node *config_of(const struct world *w, const char *env, const char *name,
                              const char *component)
{
    auto_node struct node *applied = value_of(w, keys_instance_applied(env, name));
    struct node *n = node_new_map();
    const char *hash = node_get_text(applied, "hash"), *result = node_get_text(applied, "result");
    const struct node *pending = node_get(applied, "pending");
    char desired[65];
    int64_t newest =
        desired_hash(desired, w, keys_instance(env, name), keys_component(env, component));

    node_set_bool(n, "current",
                  hash && strcmp(hash, desired) == 0 && result && strcmp(result, "ok") == 0);
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
    const char *label = connect_label(container, LABEL_ADDRESS);

    return label ? label : node_get_text(meta, "address");
}

static struct node *row_of(const struct world *w, const char *env, const char *name)
{
    const struct node *c = connect_find(w->containers, name);
    auto_node struct node *meta = value_of(w, keys_instance_meta(env, name));
    auto_node struct node *status = value_of(w, keys_instance_status(env, name));
    const char *component = c ? connect_label(c, LABEL_COMPONENT) : NULL;
    const char *state = c ? world_state(c) : "missing", *reason = node_get_text(status, "reason");
    const char *health = node_get_text(status, "health"), *shown = state;
    struct node *n = node_new_map();
    bool running = strcmp(state, "running") == 0;

    if (!component)
        component = node_get_text(meta, "component");
    if (running) /* the agent knows better than Docker; without its word nobody knows */
        shown = status ? node_get_text(status, "state") : w->etcd_answers ? "silent" : "unknown";
    node_set_text(n, "instance", name);
    node_set_text(n, "component", component ? component : "");
    node_set_text(n, "container", state);
    node_set_text(n, "state", shown ? shown : "unknown");
    node_set_text(n, "health", running && health ? health : "unknown");
    if (running && reason && *reason)
        node_set_text(n, "reason", reason);
    node_set_bool(n, "ok",
                  running && shown && strcmp(shown, "ready") == 0 &&
                      (!health || strcmp(health, "unhealthy") != 0));
    if (running && node_get(status, "since"))
        node_set_int(n, "since", node_get_int(status, "since", 0));
    node_set_int(n, "restarts", node_get_int(status, "restarts", 0));
    if (address_of(c, meta))
        node_set_text(n, "address", address_of(c, meta));
    if (node_get_text(c, "Image"))
        node_set_text(n, "image", node_get_text(c, "Image"));
    if (node_get_text(c, "Id"))
        set_hash(n, "id", node_get_text(c, "Id"));
    if (node_get_text(status, "agent"))
        node_set_text(n, "agent", node_get_text(status, "agent"));
    if (w->etcd_answers)
        node_set(n, "config", config_of(w, env, name, component ? component : ""));
    return n;
}

struct node *status_instances(const struct world *w, const char *env)
{
    auto_strv struct strv names = {0};
    struct node *list = node_new_list();

    names_of(&names, w, env);
    for (size_t i = 0; i < names.count; i++)
        node_add(list, row_of(w, env, names.items[i]));
    return list;
}

/* ---- etcd -------------------------------------------------------------------------------------
 */

static void add_alarms(struct node *etcd, const struct etcd_status *s)
{
    struct node *alarms = node_get(etcd, "alarms");

    if (!alarms)
        alarms = node_set(etcd, "alarms", node_new_list());
    if (s->alarm_nospace && alarms->count == 0)
        node_add_text(alarms, "NOSPACE");
    if (s->alarm_corrupt && alarms->count < 2)
        node_add_text(alarms, "CORRUPT");
}

/* As the cluster itself counts: a member that is down or removed by hand has no endpoint here. */
static size_t member_count(struct etcd *c, const struct link *link)
{
    struct etcd_members members = {0};
    size_t count;
    struct err e;

    if (etcd_member_list(&members, c, &e) < 0) {
        err_drop(&e, "the list of etcd's members");
        return link->endpoint_count;
    }
    count = members.count;
    etcd_members_clear(&members);
    return count;
}

static void read_etcd(struct node *etcd, const struct world *w, struct cmd_context *x)
{
    struct link *link = NULL;
    struct etcd *c = NULL;
    struct err e;
    int64_t answering = 0;

    if (connect_root_link(&link, w->containers, x->env, &x->key, &e) < 0 ||
        etcd_open(&c, link, NULL, &e) < 0) {
        node_set_text(etcd, "error", e.msg);
        link_free(link);
        return;
    }
    etcd_set_deadline(c, clock_deadline(ETCD_DEADLINE_MS));
    for (size_t i = 0; i < link->endpoint_count; i++) {
        struct etcd_status s;

        if (etcd_status_get(&s, c, i, &e) < 0) {
            err_drop(&e, "the status of an etcd member");
            continue;
        }
        answering++;
        node_set_text(etcd, "version", s.version);
        node_set_int(etcd, "db_size", s.db_size);
        node_set_int(etcd, "db_in_use", s.db_in_use);
        node_set_int(etcd, "revision", s.revision);
        node_set_bool(etcd, "has_leader", s.leader != 0);
        add_alarms(etcd, &s);
        etcd_status_clear(&s);
    }
    node_set_int(etcd, "members", (int64_t)member_count(c, link));
    node_set_int(etcd, "answering", answering);
    etcd_close(c);
    link_free(link);
}

static struct node *etcd_of(const struct world *w, struct cmd_context *x)
{
    struct node *etcd = node_new_map();

    node_set_bool(etcd, "answers", w->etcd_answers);
    if (w->etcd_answers)
        read_etcd(etcd, w, x);
    else
        node_set_text(etcd, "error",
                      w->etcd_expected ? w->etcd_error.msg : "no etcd container runs");
    return etcd;
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

/* Docker counts how often a container ended by itself and was started again; its agent, how often
 * it started the daemon anew for a configuration. Only an inspection tells the first. */
static void add_crashes(struct node *instances, const struct world *w, struct engine *g)
{
    for (size_t i = 0; i < instances->count; i++) {
        struct node *row = instances->items[i];
        const struct node *c = connect_find(w->containers, node_get_text(row, "instance"));
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

int status_read(struct node **out, struct cmd_context *x, struct err *e)
{
    auto_world struct world *w = NULL;
    struct node *n, *instances, *etcd;

    if (secret_load_key(&x->key, x->env, e) < 0)
        return e->code == ERR_NOTFOUND
                   ? err_set(e, ERR_NOTFOUND,
                             "environment %s is not known on this machine; `slipway up` makes it",
                             x->env)
                   : -1;
    if (world_observe(&w, x->engine, x->env, &x->key, NULL, e) < 0)
        return -1;
    n = node_new_map();
    node_set_text(n, "environment", x->env);
    node_set_text(n, "uuid", x->key.uuid);
    instances = status_instances(w, x->env);
    add_crashes(instances, w, x->engine);
    etcd = etcd_of(w, x);
    node_set_bool(n, "healthy", is_healthy(instances, etcd));
    node_set(n, "instances", instances);
    node_set(n, "etcd", etcd);
    *out = n;
    return 0;
}

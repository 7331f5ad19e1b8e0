/* SPDX-License-Identifier: MIT */
#include "plan/observed.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "model/keys.h"
#include "plan/connect.h"
#include "plan/object.h"

enum {
    ETCD_DEADLINE_MS = 5000,
    ROUTES_MAX = 1 << 20,
    ROUNDED_S = 2, /* both clocks cut off what is less than their unit */
};

const char *observed_state(const struct node *container)
{
    const char *state = node_get_text(container, "State");

    return state ? state : "unknown";
}

bool observed_runs(const struct node *container)
{
    const char *state = observed_state(container);

    return strcmp(state, "running") == 0 || strcmp(state, "restarting") == 0 ||
           strcmp(state, "paused") == 0;
}

const struct node *observed_named(const struct node *list, const char *name)
{
    const struct node *n;

    node_for_each (n, list) {
        const char *have = node_get_text(n, "Name");

        if (have && strcmp(have, name) == 0)
            return n;
    }
    return NULL;
}

const char *observed_value(const struct observed *w, const char *key)
{
    const struct etcd_kv *kv = etcd_kvs_find(&w->keys, key);

    return kv ? kv->value : NULL;
}

/* proc(5): /proc/net/route holds destination and mask as little-endian hex. The default route,
 * which overlaps everything, is left out. */
static void observe_routes(struct observed *w)
{
    auto_free char *text = NULL;
    auto_strv struct strv lines = {0};
    struct err e;

    if (fs_read(&text, NULL, "/proc/net/route", ROUTES_MAX, &e) < 0) {
        err_drop(&e, "the routes of this machine");
        return;
    }
    strv_split(&lines, text, "\n");
    for (size_t i = 1; i < lines.count; i++) {
        unsigned destination, mask;
        char address[INET_ADDRSTRLEN];

        if (sscanf(lines.items[i], "%*s %8x %*s %*s %*s %*s %*s %8x", &destination, &mask) != 2 ||
            mask == 0)
            continue;
        inet_ntop(AF_INET, &destination, address, sizeof(address));
        strv_addf(&w->routes, "%s/%d", address, __builtin_popcount(mask));
    }
}

static bool etcd_runs(const struct observed *w)
{
    const struct node *c;

    node_for_each (c, w->containers) {
        const char *component = object_label(c, LABEL_COMPONENT);

        if (component && strcmp(component, ETCD_COMPONENT) == 0 &&
            strcmp(observed_state(c), "running") == 0)
            return true;
    }
    return false;
}

static void observe_etcd(struct observed *w, const char *env, const struct env_key *key,
                         struct etcd **kept, struct until until)
{
    struct etcd *own = NULL, **c = kept ? kept : &own;
    auto_free char *prefix = keys_env(env);
    struct err e;

    w->etcd_expected = etcd_runs(w);
    if (!w->etcd_expected)
        return;
    if (connect_kept_etcd(c, w->containers, env, key, &w->etcd_error) < 0)
        return;
    etcd_set_until(*c, until_within(until, ETCD_DEADLINE_MS));
    w->etcd_answers = etcd_range(&w->keys, *c, prefix, &w->etcd_error) == 0;
    if (!w->etcd_answers)
        log_debug("etcd does not answer: %s", w->etcd_error.msg);
    else if (etcd_user_list(&w->users, *c, &e) < 0 || etcd_role_list(&w->roles, *c, &e) < 0)
        err_drop(&e, "who may do what in etcd");
    else
        w->access_known = true;
    etcd_close(own);
}

bool observed_is_of_this_run(const struct observed *w, const struct node *container,
                             int64_t since_ms)
{
    static const char first[] = "Up Less than a second";
    const char *status = node_get_text(container, "Status");
    long long seconds = 0;
    char unit[8] = "";

    if (strcmp(observed_state(container), "running") != 0)
        return false;
    if (!status)
        return true;
    if (strncmp(status, first, strlen(first)) != 0 &&
        (sscanf(status, "Up %9lld %7[a-z]", &seconds, unit) != 2 ||
         strncmp(unit, "second", strlen("second")) != 0))
        return true; /* longer than any lease */
    return since_ms >= w->listed_ms - (seconds + ROUNDED_S) * 1000;
}

/* What is looked at at the same time: most of it is waiting for Docker and etcd. */
struct observation {
    struct observed *w;
    struct engine *g, *second; /* a connection each */
    const char *env;
    const struct env_key *key; /* NULL: none */
    struct etcd **kept;
    struct {
        int result;
        struct err e;
    } half[2];
};

static int observe_instances(struct observation *o, struct err *e)
{
    auto_node struct node *all = NULL;
    struct object_lists lists = {
        .instances = o->w->containers, .strays = o->w->strays, .others = o->w->others};

    if (engine_container_list(&all, o->g, NULL, e) < 0)
        return -1;
    o->w->listed_ms = engine_answered_ms(o->g);
    if (object_sort(&lists, all, o->g, o->key ? o->key->uuid : NULL, e) < 0)
        return -1;
    if (o->key)
        observe_etcd(o->w, o->env, o->key, o->kept, engine_until(o->g));
    return 0;
}

static int observe_others(struct observation *o, struct err *e)
{
    if (engine_network_list(&o->w->networks, o->second, NULL, e) < 0)
        return -1;
    return engine_volume_list(&o->w->volumes, o->second, NULL, e);
}

static void observe_half(void *arg, size_t i)
{
    struct observation *o = arg;

    o->half[i].result = (i == 0 ? observe_instances : observe_others)(o, &o->half[i].e);
}

int observed_observe(struct observed **out, struct engine *g, const char *env,
                     const struct env_key *key, struct etcd **kept, struct err *e)
{
    auto_observed struct observed *w = mem_alloc(sizeof(*w));
    struct observation o = {.w = w, .g = g, .env = env, .key = key, .kept = kept};

    w->containers = node_new_list();
    w->strays = node_new_list();
    w->others = node_new_list();
    /* Before the networks: one that is being made has its route first, and would seem foreign. */
    observe_routes(w);
    if (engine_clone(&o.second, g, e) < 0)
        return -1;
    pool_run(ARRAY_LEN(o.half), ARRAY_LEN(o.half), observe_half, &o);
    engine_close(o.second);
    for (size_t i = 0; i < ARRAY_LEN(o.half); i++)
        if (o.half[i].result < 0) {
            *e = o.half[i].e;
            return -1;
        }
    *out = steal(w);
    return 0;
}

/* The list names an image by its ID once the reference means another. */
static bool runs_image(const struct observed *w, const char *ref)
{
    const struct node *c;

    node_for_each (c, w->containers) {
        const char *image = node_get_text(c, "Image");

        if (image && strcmp(image, ref) == 0)
            return true;
    }
    return false;
}

int observed_observe_images(struct observed *w, struct engine *g, const struct node *refs,
                            struct err *e)
{
    const struct node *ref;

    node_for_each (ref, refs) {
        int has = runs_image(w, ref->text) ? 1 : engine_image_has(g, ref->text, e);

        if (has < 0)
            return -1;
        if (has)
            strv_add(&w->images, ref->text);
    }
    return 0;
}

void observed_free(struct observed *w)
{
    if (!w)
        return;
    node_free(w->containers);
    node_free(w->strays);
    node_free(w->others);
    node_free(w->networks);
    node_free(w->volumes);
    strv_clear(&w->images);
    strv_clear(&w->routes);
    node_free(w->host_ports);
    node_free(w->changed);
    strv_clear(&w->no_devices);
    strv_clear(&w->users);
    strv_clear(&w->roles);
    etcd_kvs_clear(&w->keys);
    free(w);
}

void observed_cleanup(struct observed **w)
{
    observed_free(*w);
}

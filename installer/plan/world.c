/* SPDX-License-Identifier: MIT */
#include "plan/world.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "model/keys.h"
#include "plan/connect.h"

enum {
    ETCD_DEADLINE_MS = 5000,
    ROUTES_MAX = 1 << 20,
    ROUNDED_S = 2, /* both clocks cut off what is less than their unit */
};

const char *world_state(const struct node *container)
{
    const char *state = node_get_text(container, "State");

    return state ? state : "unknown";
}

const struct node *world_named(const struct node *list, const char *name)
{
    const struct node *n;

    node_for_each (n, list) {
        const char *have = node_get_text(n, "Name");

        if (have && strcmp(have, name) == 0)
            return n;
    }
    return NULL;
}

const char *world_value(const struct world *w, const char *key)
{
    const struct etcd_kv *kv = etcd_kvs_find(&w->keys, key);

    return kv ? kv->value : NULL;
}

/* Sorts all containers of the engine into ours and others. */
static void split_containers(struct world *w, struct node *all, const char *uuid)
{
    w->containers = node_new_list();
    w->others = node_new_list();
    for (size_t i = 0; i < all->count; i++) {
        struct node *c = all->items[i];
        const char *have = connect_label(c, LABEL_ENV);
        bool ours = uuid && have && strcmp(have, uuid) == 0;

        node_add(ours ? w->containers : w->others, c);
        all->items[i] = NULL;
    }
    all->count = 0;
}

/* proc(5): /proc/net/route holds destination and mask as little-endian hex. The default route,
 * which overlaps everything, is left out. */
static void observe_routes(struct world *w)
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

static bool etcd_runs(const struct world *w)
{
    const struct node *c;

    node_for_each (c, w->containers) {
        const char *component = connect_label(c, LABEL_COMPONENT);

        if (component && strcmp(component, ETCD_COMPONENT) == 0 &&
            strcmp(world_state(c), "running") == 0)
            return true;
    }
    return false;
}

static void observe_etcd(struct world *w, const char *env, const struct env_key *key,
                         struct etcd **kept)
{
    struct etcd *own = NULL, **c = kept ? kept : &own;
    auto_free char *prefix = keys_env(env);

    w->etcd_expected = etcd_runs(w);
    if (!w->etcd_expected)
        return;
    if (connect_kept_etcd(c, w->containers, env, key, &w->etcd_error) < 0)
        return;
    etcd_set_deadline(*c, clock_deadline(ETCD_DEADLINE_MS));
    w->etcd_answers = etcd_range(&w->keys, *c, prefix, &w->etcd_error) == 0;
    if (!w->etcd_answers)
        log_debug("etcd does not answer: %s", w->etcd_error.msg);
    etcd_close(own);
}

bool world_is_of_this_run(const struct world *w, const struct node *container, int64_t since_ms)
{
    static const char first[] = "Up Less than a second";
    const char *status = node_get_text(container, "Status");
    long long seconds = 0;
    char unit[8] = "";

    if (strcmp(world_state(container), "running") != 0)
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
    struct world *w;
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

    if (engine_container_list(&all, o->g, NULL, e) < 0)
        return -1;
    o->w->listed_ms = clock_wall_ms();
    split_containers(o->w, all, o->key ? o->key->uuid : NULL);
    if (o->key)
        observe_etcd(o->w, o->env, o->key, o->kept);
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

int world_observe(struct world **out, struct engine *g, const char *env, const struct env_key *key,
                  struct etcd **kept, struct err *e)
{
    auto_world struct world *w = mem_alloc(sizeof(*w));
    struct observation o = {.w = w, .g = g, .env = env, .key = key, .kept = kept};

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
static bool runs_image(const struct world *w, const char *ref)
{
    const struct node *c;

    node_for_each (c, w->containers) {
        const char *image = node_get_text(c, "Image");

        if (image && strcmp(image, ref) == 0)
            return true;
    }
    return false;
}

int world_observe_images(struct world *w, struct engine *g, const struct node *refs, struct err *e)
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

void world_free(struct world *w)
{
    if (!w)
        return;
    node_free(w->containers);
    node_free(w->others);
    node_free(w->networks);
    node_free(w->volumes);
    strv_clear(&w->images);
    strv_clear(&w->routes);
    etcd_kvs_clear(&w->keys);
    free(w);
}

void world_cleanup(struct world **w)
{
    world_free(*w);
}

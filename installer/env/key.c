/* SPDX-License-Identifier: MIT */
#include "env/key.h"

#include <errno.h>
#include <libgen.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "env/engine.h"
#include "plan/object.h"
#include "plan/observed.h"

#define WITHOUT                                                                                    \
    "put it back from a backup; nothing else can make it. Until then the instances go on with "    \
    "their data, and `docker logs` and `docker exec` reach them; remove nothing"

/* An environment of our name whose key is not ours, as Docker shows it. */
struct other {
    char *path; /* of the key it was made with; NULL: it does not tell */
    size_t containers, running, volumes, networks;
};

static bool is_other(const struct node *object, const struct env *env)
{
    return !object_is_ours(object, env->key.uuid) && object_label(object, LABEL_ENV);
}

static size_t count(struct other *o, const struct node *list, const struct env *env)
{
    const struct node *n;
    size_t found = 0;

    node_for_each (n, list) {
        const char *path = object_label(n, LABEL_KEY);

        if (!is_other(n, env) || object_is_aside(n))
            continue;
        found++;
        if (path && !o->path)
            o->path = mem_strdup(path);
    }
    return found;
}

static int find(struct other *o, struct env *env, struct err *e)
{
    auto_free char *label = mem_printf("%s=%s", LABEL_NAME, env->name);
    auto_node struct node *containers = NULL, *networks = NULL, *volumes = NULL;
    const struct node *c;

    *o = (struct other){0};
    if (env_engine_open(env, e) < 0 ||
        engine_container_list(&containers, env->engine, label, e) < 0 ||
        engine_network_list(&networks, env->engine, label, e) < 0 ||
        engine_volume_list(&volumes, env->engine, label, e) < 0)
        return -1;
    o->containers = count(o, containers, env);
    o->networks = count(o, networks, env);
    o->volumes = count(o, volumes, env);
    node_for_each (c, containers) {
        if (is_other(c, env) && !object_is_aside(c))
            o->running += strcmp(observed_state(c), "running") == 0;
    }
    return 0;
}

static char *describe(const struct other *o, const char *name)
{
    if (o->running)
        return mem_printf("environment %s runs here (%zu instance%s)", name, o->running,
                          o->running == 1 ? "" : "s");
    if (o->containers)
        return mem_printf("environment %s is here, stopped", name);
    return o->volumes ? mem_printf("environment %s is down, and its data is here", name)
                      : mem_printf("environment %s is here", name);
}

/* The account that owns a file, or, where it cannot be seen, the nearest folder around it. */
static char *owner_of(const char *path)
{
    auto_free char *seen = mem_strdup(path);
    struct passwd entry, *found = NULL;
    char text[4096];
    struct stat st;

    while (stat(seen, &st) < 0) {
        char *slash = strrchr(seen, '/');

        if (!slash || slash == seen)
            return mem_strdup("root");
        *slash = '\0';
    }
    if (getpwuid_r(st.st_uid, &entry, text, sizeof(text), &found) != 0 || !found)
        return mem_printf("the user with the number %u", (unsigned)st.st_uid);
    return mem_strdup(found->pw_name);
}

static bool is_gone(const char *path)
{
    struct stat st;

    return stat(path, &st) < 0 && errno == ENOENT;
}

/* What to do, when `own` is the path where our key should be. */
static char *advise(const struct other *o, const char *own, const char *name)
{
    auto_free char *folder = NULL, *owner = NULL;

    if (!o->path)
        return mem_printf("run this as the user who made it, or set SLIPWAY_HOME to the folder "
                          "that has %s/key. If the key is lost, " WITHOUT,
                          name);
    if (strcmp(o->path, own) == 0)
        return mem_strdup(WITHOUT);
    if (is_gone(o->path))
        return mem_printf("it was made with %s, which is gone: " WITHOUT, o->path);
    folder = mem_strdup(o->path);
    owner = owner_of(o->path);
    return mem_printf("run this as %s, or set SLIPWAY_HOME=%s", owner, dirname(dirname(folder)));
}

/* `why` is what is wrong with our own key. Returns -1. */
static int refuse(struct env *env, const struct other *o, const char *why, struct err *e)
{
    auto_free char *own = fs_join(env->folder, "key"), *what = describe(o, env->name),
                   *advice = advise(o, own, env->name);

    return err_set(e, ERR_AUTH, "%s, but %s; %s", what, why, advice);
}

static bool has_any(const struct other *o)
{
    return o->containers || o->networks || o->volumes;
}

int env_key_load(struct env *env, struct err *e)
{
    auto_free char *why = NULL;
    struct other o;
    struct err docker;

    if (env->key.uuid[0] || secret_load_key(&env->key, env->folder, e) == 0)
        return 0;
    if (e->code != ERR_NOTFOUND && e->code != ERR_CONFIG)
        return -1;
    why = e->code == ERR_NOTFOUND ? mem_printf("its key is not in %s", env->folder)
                                  : mem_strdup(e->msg);
    if (find(&o, env, &docker) < 0) { /* not known is what only Docker can say */
        if (e->code == ERR_NOTFOUND)
            *e = docker;
        return -1;
    }
    if (has_any(&o)) {
        refuse(env, &o, why, e);
        free(o.path);
        return -1;
    }
    if (e->code == ERR_NOTFOUND)
        err_set(e, ERR_NOTFOUND,
                "environment %s is not known on this machine: %s, and Docker has nothing of that "
                "name; `slipway up` makes it",
                env->name, why);
    return -1;
}

int env_key_check(struct env *env, struct err *e)
{
    auto_free char *why = mem_printf("the key in %s is another one", env->folder);
    struct other o;
    int r = find(&o, env, e);

    if (r == 0 && has_any(&o))
        r = refuse(env, &o, why, e);
    free(o.path);
    return r;
}

static void add_paths(struct node *paths, const struct node *list)
{
    const struct node *n;

    node_for_each (n, list) {
        const char *uuid = object_label(n, LABEL_ENV), *path = object_label(n, LABEL_KEY);

        if (uuid && path && !node_get(paths, uuid))
            node_set_text(paths, uuid, path);
    }
}

int env_key_paths(struct node **out, struct env *env, struct err *e)
{
    auto_node struct node *networks = NULL, *volumes = NULL;

    *out = NULL;
    if (engine_network_list(&networks, env->engine, LABEL_ENV, e) < 0 ||
        engine_volume_list(&volumes, env->engine, LABEL_ENV, e) < 0)
        return -1;
    *out = node_new_map();
    add_paths(*out, networks);
    add_paths(*out, volumes);
    return 0;
}

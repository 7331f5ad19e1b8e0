/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "env/document.h"
#include "env/engine.h"
#include "env/env.h"
#include "env/key.h"
#include "env/ssh_state.h"
#include "host/host.h"
#include "plan/connect.h"
#include "plan/object.h"

enum { ETCD_DEADLINE_MS = 5000 };

int64_t env_deadline(const struct env *env, int64_t default_ms)
{
    return clock_deadline(env->o.timeout_ms ? env->o.timeout_ms : default_ms);
}

void env_bound(struct env *env, int64_t default_ms)
{
    engine_set_until(env->engine, until_before(env->until, env_deadline(env, default_ms)));
}

/* What an environment does not use may be broken: its own document is refused where it names that,
 * spec_decode. */
static int open_catalog(struct env *env, bool whole, struct err *e)
{
    auto_strv struct strv dirs = {0};
    struct problems p;
    int r;

    if (env->catalog)
        return 0;
    strv_add(&dirs, env->o.paths->components);
    if (env->o.catalogs)
        strv_add_all(&dirs, env->o.catalogs);
    problems_init(&p, env->o.paths->components);
    r = catalog_load(&env->catalog, (const char *const *)dirs.items, dirs.count, &p);
    if (r < 0 && env->catalog && !whole) {
        for (size_t i = 0; i < p.lines.count; i++)
            log_warn("%s", p.lines.items[i]);
        r = 0;
    }
    if (r < 0)
        env_refuse(env, &p, "the component catalog", e);
    for (size_t i = 0; env->catalog && i < env->catalog->count; i++)
        strv_add(&env->folders, env->catalog->items[i]->dir);
    env->images.components = &env->folders;
    problems_clear(&p);
    return r;
}

void env_homes(struct strv *out, const char *home)
{
    auto_strv struct strv names = {0};
    struct err e;

    if (fs_list(&names, home, &e) < 0)
        err_drop(&e, "the environments of this machine");
    for (size_t i = 0; i < names.count; i++)
        if (spec_name_is_valid(names.items[i]))
            strv_add(out, names.items[i]);
}

void env_names(struct strv *out, const char *home)
{
    auto_strv struct strv names = {0};

    env_homes(&names, home);
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *key = mem_printf("%s/%s/key", home, names.items[i]);

        if (fs_exists(key))
            strv_add(out, names.items[i]);
    }
}

static void set_name(struct env *env, const char *name)
{
    free(env->name_owned);
    env->name_owned = mem_strdup(name);
    env->name = env->name_owned;
}

/* Nobody named one: the only environment there is, else the demo. */
static int choose_name(struct env *env, struct err *e)
{
    auto_strv struct strv names = {0};

    env_names(&names, env->o.home);
    if (names.count > 1 && !strv_has(&names, "demo")) {
        auto_free char *list = strv_join(&names, ", ");

        return err_set(e, ERR_USAGE, "there are several environments, name one with --env: %s",
                       list);
    }
    set_name(env, names.count == 1 ? names.items[0] : "demo");
    return 0;
}

static int open_name(struct env *env, struct err *e)
{
    if (!env->name && env->spec)
        set_name(env, env->spec->name);
    if (!env->name && choose_name(env, e) < 0)
        return -1;
    if (!spec_name_is_valid(env->name))
        return err_set(e, ERR_USAGE,
                       "%s is not a valid environment name: a-z, 0-9 and -, at most 40", env->name);
    if (!env->folder)
        env->folder = fs_join(env->o.home, env->name);
    return 0;
}

/* The environment's containers without its etcd. */
static int open_containers(struct env *env, struct err *e)
{
    if (env->containers)
        return 0;
    if (env_key_load(env, e) < 0)
        return -1;
    if (object_containers(&env->containers, env->engine, env->key.uuid, e) < 0)
        return -1;
    return env->containers->count ? 0 : env_key_check(env, e);
}

static int open_etcd(struct env *env, struct err *e)
{
    if (env->etcd)
        return 0;
    if (open_containers(env, e) < 0 ||
        connect_etcd(&env->etcd, env->containers, env->name, &env->key, e) < 0)
        return -1;
    etcd_set_until(env->etcd, until_no_deadline(env->until));
    etcd_set_deadline(env->etcd, env_deadline(env, ETCD_DEADLINE_MS));
    return 0;
}

/* The document in force is asked of etcd; without one the operator's copy counts. */
static int open_known(struct env *env, struct err *e)
{
    struct err away;
    bool open;

    if (open_name(env, e) < 0)
        return -1;
    log_field("environment", env->name);
    open = env_engine_open(env, &away) == 0 && open_etcd(env, &away) == 0;
    return env_document_load_known(env, open ? NULL : &away, e);
}

static int open_spec(struct env *env, struct err *e)
{
    if (env->spec)
        return 0;
    return env->o.file ? env_document_load_file(env, e) : open_known(env, e);
}

int env_need(struct env *env, unsigned needs, struct err *e)
{
    if ((needs & (ENV_NEEDS_CATALOG | ENV_NEEDS_WHOLE_CATALOG | ENV_NEEDS_SPEC)) &&
        open_catalog(env, needs & ENV_NEEDS_WHOLE_CATALOG, e) < 0)
        return -1;
    if ((needs & ENV_NEEDS_SPEC) && open_spec(env, e) < 0)
        return -1;
    if ((needs & (ENV_NEEDS_NAME | ENV_NEEDS_SPEC | ENV_NEEDS_ETCD | ENV_NEEDS_CONTAINERS |
                  ENV_NEEDS_KEY | ENV_NEEDS_SSH)) &&
        open_name(env, e) < 0)
        return -1;
    log_field("environment", env->name);
    if ((needs & (ENV_NEEDS_ENGINE | ENV_NEEDS_ETCD | ENV_NEEDS_CONTAINERS | ENV_NEEDS_SSH)) &&
        env_engine_open(env, e) < 0)
        return -1;
    if ((needs & ENV_NEEDS_ETCD) && open_etcd(env, e) < 0)
        return -1;
    if ((needs & ENV_NEEDS_KEY) && env_key_load(env, e) < 0)
        return -1;
    if ((needs & (ENV_NEEDS_CONTAINERS | ENV_NEEDS_SSH)) && open_containers(env, e) < 0)
        return -1;
    if (needs & ENV_NEEDS_SSH)
        env_ssh_state_ask(env);
    return 0;
}

static char *process_owner(void)
{
    struct passwd entry, *found = NULL;
    char text[4096];

    if (getpwuid_r(getuid(), &entry, text, sizeof(text), &found) != 0 || !found)
        return mem_printf("%u", (unsigned)getuid());
    return mem_strdup(found->pw_name);
}

int env_open(struct env **out, const struct env_opts *o, unsigned needs, struct err *e)
{
    struct env *env = mem_alloc(sizeof(*env));

    *env = (struct env){.o = *o,
                        .name = o->name,
                        .until = {.cancel = o->cancel},
                        .images = {.dockerfiles = o->paths->dockerfiles,
                                   .init = o->paths->init,
                                   .agent = o->paths->agent,
                                   .slipway = o->paths->relay,
                                   .daemon = o->paths->daemon,
                                   .steps = o->paths->steps,
                                   .temp_dir = o->temp_dir}};
    env->user = o->user ? mem_strdup(o->user) : process_owner();
    if (o->timeout_ms)
        env->until = until_in(o->timeout_ms, o->cancel);
    *out = env;
    return env_need(env, needs, e);
}

struct hosts *env_hosts(struct env *env)
{
    if (!env->hosts)
        env->hosts = hosts_new(NULL);
    return env->hosts;
}

void env_close(struct env *env)
{
    if (!env)
        return;
    hosts_free(env->hosts);
    etcd_close(env->etcd);
    node_free(env->containers);
    engine_close(env->engine);
    spec_free(env->spec);
    spec_free(env->settled);
    node_free(env->kept);
    node_free(env->proxies);
    catalog_free(env->catalog);
    strv_clear(&env->problems);
    strv_clear(&env->folders);
    explicit_bzero(&env->key, sizeof(env->key));
    free(env->name_owned);
    free(env->folder);
    free(env->user);
    free(env);
}

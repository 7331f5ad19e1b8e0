/* SPDX-License-Identifier: MIT */
/* Pools: what there is, create, delete. */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "conf/json.h"
#include "engine/images.h"
#include "env/volume_run.h"
#include "plan/object.h"

enum { TEXT_MAX = 1 << 20, ASK_MS = 60000 };

static int put_pools(struct volume_run *r, const struct strv *names, bool wait, struct err *e)
{
    struct volume_step s = {.target = r->provisioner->manifest->name,
                            .key = "pools",
                            .map = r->maps.pools,
                            .names = names,
                            .noun = "pool",
                            .no_wait = !wait};

    return volume_run_step(r, &s, e);
}

int env_pool_create(struct env *env, const char *name, const struct volume_pool *p,
                    const struct volume_options *o, struct err *e)
{
    auto_volume_run struct volume_run r;
    auto_strv struct strv names = {0};
    const struct node *there;

    strv_add(&names, name);
    volume_run_init(&r, env, o);
    if (volume_run_begin(&r, "pool create", e) < 0)
        return -1;
    there = node_get(r.maps.pools, name);
    if (volume_pool_create(&r.maps, name, p, e) < 0)
        return -1;
    if (r.options->already && there && there == node_get(r.maps.pools, name))
        strv_add(r.options->already, name);
    return put_pools(&r, &names, true, e);
}

int env_pool_delete(struct env *env, const char *name, const struct volume_options *o,
                    struct err *e)
{
    auto_volume_run struct volume_run r;
    auto_strv struct strv names = {0};

    strv_add(&names, name);
    volume_run_init(&r, env, o);
    if (volume_run_begin(&r, "pool delete", e) < 0 || volume_pool_delete(&r.maps, name, e) < 0 ||
        put_pools(&r, &names, true, e) < 0)
        return -1;
    if (r.options->no_wait)
        return 0;
    /* The name of what is gone is left in no document. */
    if (volume_run_begin(&r, "pool delete", e) < 0)
        return -1;
    if (volume_run_keeps(r.maps.pools, name))
        return err_set(e, ERR_CONFLICT, "pool %s stays: another command took the order back", name);
    node_remove(r.maps.pools, name);
    return put_pools(&r, &names, false, e);
}

/* ---- what there is ---- */

/* Runs the provisioner's hook `pool` in one of its instances. */
static int ask(struct node **out, const struct volume_run *r, const char *name, struct err *e)
{
    const char *const argv[] = {IMAGES_AGENT, "hook", "pool", name, NULL};
    const char *provisioner = r->provisioner->manifest->name;
    auto_buf struct buf text = {0}, errors = {0};
    struct engine_exec call = {
        .argv = argv, .out = &text, .err = &errors, .deadline = env_deadline(r->env, ASK_MS)};
    const struct node *c;
    int status;

    buf_init(&text, TEXT_MAX);
    buf_init(&errors, TEXT_MAX);
    node_for_each (c, r->env->containers) {
        const char *component = object_label(c, LABEL_COMPONENT);

        if (!component || strcmp(component, provisioner) != 0 || object_is_aside(c) ||
            !node_text_is(c, "State", "running"))
            continue;
        if (engine_exec_run(&status, r->env->engine, node_get_text(c, "Id"), &call, e) < 0)
            return -1;
        if (status != 0)
            return err_set(e, ERR_REMOTE, "%s: %.300s", object_label(c, LABEL_INSTANCE),
                           buf_str(&errors));
        if (text.len == 0) { /* it has no such hook */
            *out = node_new_map();
            return 0;
        }
        return json_parse(out, "the hook pool", buf_str(&text), text.len, e);
    }
    return err_set(e, ERR_NOTFOUND, "no instance of %s runs", provisioner);
}

int env_pool_ask(struct node **out, struct env *env, const char *name, struct err *e)
{
    auto_volume_run struct volume_run r;

    volume_run_init(&r, env, NULL);
    return volume_run_read(&r, e) < 0 ? -1 : ask(out, &r, name, e);
}

static struct node *row_of(const struct volume_run *r, const struct node *pool)
{
    struct node *n = node_copy(pool);
    const struct node *v;
    int64_t count = 0;

    node_set_text(n, "name", pool->key);
    volume_run_bytes(n, "quota");
    if (!node_get_text(n, "kind"))
        node_set_text(n, "kind", "replicated");
    node_for_each (v, r->maps.volumes) {
        const char *own = node_get_text(v, "pool");

        count += strcmp(own ? own : VOLUME_POOL, pool->key) == 0 ||
                 node_text_is(v, "data_pool", pool->key);
    }
    node_set_int(n, "volumes", count);
    return n;
}

int env_pool_list(struct node **rows, struct env *env, struct err *e)
{
    auto_volume_run struct volume_run r;
    const struct node *p;

    volume_run_init(&r, env, NULL);
    if (volume_run_read(&r, e) < 0)
        return -1;
    *rows = node_new_list();
    node_for_each (p, r.maps.pools) {
        if (p->kind == NODE_KIND_MAP)
            node_add(*rows, row_of(&r, p));
    }
    return 0;
}

/* Without an answer it is what the configuration says. */
static void add_seen(struct node *row, const struct volume_run *r, const char *name)
{
    auto_node struct node *seen = NULL;
    const struct node *n;
    struct err e;

    if (ask(&seen, r, name, &e) < 0) {
        log_warn("the storage could not be asked: %s", e.msg);
        return;
    }
    node_for_each (n, seen) {
        node_set(row, n->key, node_copy(n));
    }
}

int env_pool_show(struct node **row, struct env *env, const char *name, struct err *e)
{
    auto_volume_run struct volume_run r;
    struct node *pool = NULL;

    volume_run_init(&r, env, NULL);
    if (volume_run_read(&r, e) < 0 || volume_pool_find(&pool, &r.maps, name, e) < 0)
        return -1;
    *row = row_of(&r, pool);
    add_seen(*row, &r, name);
    return 0;
}

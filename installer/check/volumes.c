/* SPDX-License-Identifier: MIT */
/*
 * The built-in module volumes: a volume of its own goes from driver to driver. Each reads what the
 * one before wrote and writes again, as a client does (hook io), and the first reads what the last
 * wrote. The volume is made and moved as every other is, and it goes again whatever happens.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "check/modules.h"
#include "check/run.h"
#include "check/io.h"
#include "env/volumes.h"
#include "conf/units.h"
#include "plan/connect.h"

enum {
    SIZE = 4 << 20,
    REMOVE_MS = 60000,
    AGAIN_MS = 1000,
    PLACE_MS = 5000,
    POLL_MS = 200,
    LEFT_OVER_S = 600
};

static const struct volume_options check_options = {.unrecorded = true};

struct subject {
    struct check check;    /* its results are the module's, its environment is `env` */
    struct env env;        /* with connections of its own: modules run side by side */
    const char *name;      /* of the volume */
    struct strv instances; /* one of each driver */
    char sum[CHECK_IO_SUM_LEN + 1];
    const char *writer; /* who wrote what it holds; NULL: nobody */
};

static bool has_drivers(const struct check *c)
{
    const struct node *row;

    node_for_each (row, node_get(c->status, "instances")) {
        const struct manifest *m = catalog_find(c->env->catalog, node_get_text(row, "component"));

        if (m && volume_is_driver(m))
            return true;
    }
    return false;
}

/* ---- steps ---- */

/* The pool that volumes go to when nothing is said, or another that can hold them. Owned. */
static int choose_pool(char **out, struct subject *s, struct err *e)
{
    auto_node struct node *pools = NULL;
    const struct node *p;
    const char *other = NULL;

    if (env_pool_list(&pools, &s->env, e) < 0)
        return -1;
    node_for_each (p, pools) {
        const char *name = node_get_text(p, "name");

        if (strcmp(name, VOLUME_POOL) == 0 || (!other && !node_text_is(p, "kind", "erasure")))
            other = name;
        if (strcmp(name, VOLUME_POOL) == 0)
            break;
    }
    *out = mem_strdup(other ? other : VOLUME_POOL);
    return 0;
}

static int create(struct subject *s, struct err *e)
{
    auto_strv struct strv names = {0};
    auto_free char *pool = NULL;
    char size[32];
    struct volume_new n = {.size = size};

    units_format_size(size, SIZE);
    strv_add(&names, s->name);
    if (choose_pool(&pool, s, e) < 0)
        return -1;
    n.pool = pool;
    return env_volume_create(&s->env, &names, &n, NULL, &check_options, e);
}

/* The instances that serve the volume, perhaps none. *found: whether there is one, or what is left
 * of one whose deletion was begun. */
static int find_servers(bool *found, struct strv *out, struct subject *s, const char *name,
                        struct err *e)
{
    auto_node struct node *rows = NULL;
    const struct node *row, *a;

    *found = false;
    if (env_volume_list(&rows, &s->env, e) < 0)
        return -1;
    node_for_each (row, rows) {
        const struct node *attached = node_get(row, "attached");

        if (!node_text_is(row, "name", name))
            continue;
        *found = true;
        node_for_each (a, attached) {
            strv_add(out, node_get_text(a, "instance"));
        }
    }
    return 0;
}

static int try_place(struct subject *s, const char *instance, struct err *e)
{
    auto_strv struct strv names = {0}, servers = {0};
    struct volume_attach_opts attach = {.to = instance};
    struct volume_move_opts move = {.to = instance};
    bool found;

    strv_add(&names, s->name);
    if (find_servers(&found, &servers, s, s->name, e) < 0)
        return -1;
    if (servers.count == 0)
        return env_volume_attach(&s->env, &names, &attach, &check_options, e);
    return strv_has(&servers, instance)
               ? 0
               : env_volume_move(&s->env, s->name, &move, &check_options, e);
}

/* Has this instance serve the volume, whoever served it before. A client that has just left may
 * count as one for a moment. */
static int place(struct subject *s, const char *instance, struct err *e)
{
    struct until until = until_within(s->env.until, PLACE_MS);
    int r;

    while ((r = try_place(s, instance, e)) < 0 && e->code == ERR_UNHEALTHY &&
           !until_passed(until) && !until_is_cancelled(until))
        until_sleep_ms(until, POLL_MS);
    return r;
}

/* ---- the volume goes again ---- */

static int try_remove(struct subject *s, const char *name, struct err *e)
{
    auto_strv struct strv names = {0}, servers = {0};
    bool found;

    strv_add(&names, name);
    if (find_servers(&found, &servers, s, name, e) < 0)
        return -1;
    for (size_t i = 0; i < servers.count; i++) {
        struct volume_detach_opts detach = {.from = servers.items[i], .force = true};

        if (env_volume_detach(&s->env, &names, &detach, &check_options, e) < 0)
            return -1;
    }
    return found ? env_volume_delete(&s->env, &names, true, &check_options, e) : 0;
}

/* A driver that died takes a moment to let go of it. */
static int remove_volume(struct subject *s, const char *name, struct err *e)
{
    struct until until = until_within(s->env.until, REMOVE_MS);
    int r;

    while ((r = try_remove(s, name, e)) < 0 && e->code != ERR_INTERRUPTED && !until_passed(until) &&
           !until_is_cancelled(until))
        until_sleep_ms(until, AGAIN_MS);
    return r;
}

/* What a killed check left: older than any check lives. */
static void sweep(struct subject *s)
{
    auto_strv struct strv old = {0};
    auto_node struct node *rows = NULL;
    const struct node *v;
    struct err e;

    if (env_volume_list(&rows, &s->env, &e) < 0)
        err_drop(&e, "looking for what an earlier check left");
    node_for_each (v, rows) {
        const char *name = node_get_text(v, "name");
        long long made = strncmp(name, CHECK_VOLUMES, strlen(CHECK_VOLUMES)) == 0
                             ? strtoll(name + strlen(CHECK_VOLUMES), NULL, 10)
                             : 0;

        if (made > 0 && made + LEFT_OVER_S < clock_wall_ms() / 1000)
            strv_add(&old, name);
    }
    if (old.count == 0 && s->check.pick)
        check_add(&s->check, "volumes.leftover", CHECK_SUCCESS, NULL,
                  "no earlier check has left a volume");
    for (size_t i = 0; i < old.count; i++) {
        if (remove_volume(s, old.items[i], &e) < 0)
            err_drop(&e, "removing what an earlier check left");
        else
            check_add(&s->check, "volumes.leftover", CHECK_WARNING,
                      "nothing to do; a check was killed",
                      "removed the volume %s, which an earlier check had left", old.items[i]);
    }
}

/* ---- results ---- */

static void add_failure(struct subject *s, const char *code, const char *what, const struct err *e)
{
    if (e->code == ERR_INTERRUPTED)
        check_add(&s->check, code, CHECK_SKIPPED, NULL, "%s: interrupted", what);
    else if (e->code == ERR_LOCKED)
        check_add(&s->check, code, CHECK_SKIPPED, "run it again when that has ended", "%s: %s",
                  what, e->msg);
    else
        check_add(&s->check, code, CHECK_FAILED,
                  "`slipway status` and `slipway logs` of the instance; `slipway check ceph-osd`",
                  "%s: %s", what, e->msg);
}

/* Reads what the one before wrote. */
static void compare(struct subject *s, const char *instance, int64_t moved_ms)
{
    struct check_io io;
    auto_free char *what = mem_printf("from %s to %s", s->writer, instance);
    struct err e;

    if (check_io_run(&io, &s->check, CHECK_IO_READ, instance, s->name, &e) < 0)
        add_failure(s, "volumes.move", what, &e);
    else if (strcmp(io.sum, s->sum) != 0)
        check_add(&s->check, "volumes.move", CHECK_FAILED,
                  "stop writing; look at `slipway check ceph-osd` and ceph health detail",
                  "%s reads other data than %s wrote: sha256 %.16s, not %.16s", instance, s->writer,
                  io.sum, s->sum);
    else
        check_add(&s->check, "volumes.move", CHECK_SUCCESS, NULL,
                  "%s reads what %s wrote (sha256 %.16s), moved in %lld ms", instance, s->writer,
                  s->sum, (long long)moved_ms);
}

static void write_one(struct subject *s, const char *instance)
{
    struct check_io io;
    struct err e;

    if (check_io_run(&io, &s->check, CHECK_IO_WRITE, instance, s->name, &e) < 0) {
        add_failure(s, "volumes.write", instance, &e);
        s->writer = NULL; /* nobody knows what it holds now */
        return;
    }
    snprintf(s->sum, sizeof(s->sum), "%s", io.sum);
    s->writer = instance;
    check_add(&s->check, "volumes.write", CHECK_SUCCESS, NULL,
              "%s: %d MiB written and read back over %s%s", instance, SIZE >> 20, io.via,
              io.on_host ? ", and read on this machine" : "");
}

static void visit(struct subject *s, const char *instance, bool writes)
{
    int64_t began = clock_now_ms();
    struct err e;

    if (place(s, instance, &e) < 0) {
        add_failure(s, "volumes.move", instance, &e);
        return;
    }
    if (s->writer && strcmp(s->writer, instance) != 0)
        compare(s, instance, clock_now_ms() - began);
    if (writes)
        write_one(s, instance);
}

/* One instance of each driver, the first that is well. */
static void choose_instances(struct subject *s)
{
    const struct catalog *catalog = s->env.catalog;

    for (size_t i = 0; i < catalog->count; i++) {
        const struct manifest *m = catalog->items[i];
        auto_free char *hook = manifest_hook(m, "io");
        const char *instance = check_healthy_instance(&s->check, m->name);

        if (!volume_is_driver(m) || !check_has_instances(&s->check, m->name))
            continue;
        if (!hook)
            check_add(&s->check, "volumes.write", CHECK_SKIPPED, NULL, "%s has no hook io",
                      m->name);
        else if (!instance)
            check_add(&s->check, "volumes.write", CHECK_SKIPPED, NULL, "no instance of %s is ready",
                      m->name);
        else
            strv_add(&s->instances, instance);
    }
}

static void go_round(struct subject *s)
{
    const struct strv *all = &s->instances;
    struct cancel *cancel = s->env.o.cancel;
    struct err e;
    int before;

    if (create(s, &e) < 0)
        add_failure(s, "volumes.create", "a volume for the check", &e);
    else {
        if (s->check.pick)
            check_add(&s->check, "volumes.create", CHECK_SUCCESS, NULL, "%s", s->name);
        for (size_t i = 0; i <= all->count && !until_is_cancelled(s->env.until); i++)
            if (i < all->count || all->count > 1)
                visit(s, all->items[i % all->count], i < all->count);
    }
    s->env.until = until_no_deadline(s->env.until);
    if (s->env.engine)
        engine_set_until(s->env.engine, s->env.until);
    before = cancel ? cancel_set_aside(cancel) : 0;
    if (remove_volume(s, s->name, &e) < 0) {
        auto_free char *advice = mem_printf("a check ten minutes from now removes it; or `slipway "
                                            "volume detach --force %s` and `slipway volume delete "
                                            "%s`",
                                            s->name, s->name);

        check_add(&s->check, "volumes.remove", CHECK_FAILED, advice, "the volume %s is left: %s",
                  s->name, e.msg);
    } else if (s->check.pick)
        check_add(&s->check, "volumes.remove", CHECK_SUCCESS, NULL, "%s is gone", s->name);
    if (cancel)
        cancel_put_back(cancel, before);
}

static void check_volumes(struct check *c)
{
    auto_free char *name =
        mem_printf("%s%lld-%d", CHECK_VOLUMES, (long long)(clock_wall_ms() / 1000), (int)getpid());
    struct subject s = {.check = *c, .env = *c->env, .name = name};
    struct err e;

    s.check.env = &s.env;
    s.env.engine = NULL;
    s.env.etcd = NULL;
    choose_instances(&s);
    if (s.instances.count == 0) {
        strv_clear(&s.instances);
        return;
    }
    if (engine_clone(&s.env.engine, c->env->engine, &e) < 0 ||
        connect_etcd(&s.env.etcd, c->env->containers, c->env->name, &c->env->key, &e) < 0) {
        check_add(c, "volumes.create", CHECK_EXCEPTION, NULL, "%s", e.msg);
    } else {
        sweep(&s);
        go_round(&s);
    }
    strv_clear(&s.instances);
    etcd_close(s.env.etcd);
    engine_close(s.env.engine);
}

static const char *const tests[] = {"create", "write", "move", "remove", "leftover", NULL};
const struct check_module check_module_volumes = {
    .name = "volumes", .tests = tests, .applies = has_drivers, .run = check_volumes};

/* SPDX-License-Identifier: MIT */
/*
 * The built-in module volumes: a volume of its own goes from driver to driver. Each reads what the
 * one before wrote and writes anew, as a client does (hook io), and the first reads what the last
 * wrote. The volume is made and moved as every other is, and it goes again whatever happens.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sig.h"
#include "cmd/check.h"
#include "cmd/check_io.h"
#include "cmd/volume_attach.h"
#include "cmd/volume_make.h"
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

static const char PREFIX[] = "slipway-check-";
static const struct volume_options check_options = {.unrecorded = true};

struct subject {
    struct check check;   /* its results are the module's, its context is `x` */
    struct cmd_context x; /* with connections of its own: modules run side by side */
    struct volume_run run;
    bool open;
    const char *name;      /* of the volume */
    struct strv instances; /* one of each driver */
    char sum[CHECK_IO_SUM_LEN + 1];
    const char *writer; /* who wrote what it holds; NULL: nobody */
};

bool check_has_drivers(const struct check *c)
{
    const struct node *row;

    node_for_each (row, node_get(c->status, "instances")) {
        const struct manifest *m = catalog_find(c->x->catalog, node_get_text(row, "component"));

        if (m && volume_is_driver(m))
            return true;
    }
    return false;
}

/* ---- steps ------------------------------------------------------------------------------------
 */

/* The environment as it is now, and time for one step. */
static int begin(struct subject *s, struct err *e)
{
    if (s->open)
        volume_run_close(&s->run);
    s->open = true;
    return volume_run_open(&s->run, &s->x, &check_options, e);
}

/* The pool that volumes go to when nothing is said, or another that can hold them. */
static const char *choose_pool(const struct subject *s)
{
    const struct node *pools = s->run.maps.pools, *p;

    if (node_get(pools, VOLUME_POOL))
        return VOLUME_POOL;
    node_for_each (p, pools) {
        const char *kind = node_get_text(p, "kind");

        if (!node_get_bool(p, "absent", false) && (!kind || strcmp(kind, "erasure") != 0))
            return p->key;
    }
    return VOLUME_POOL;
}

static int create(struct subject *s, struct err *e)
{
    auto_free char *name = mem_strdup(s->name);
    char *items[] = {name, NULL};
    struct strv names = {.items = items, .count = 1};
    char size[32];
    struct volume_new n = {.size = size};

    units_format_size(size, SIZE);
    if (begin(s, e) < 0)
        return -1;
    n.pool = choose_pool(s);
    return volume_create_many(&s->run, &n, &names, e);
}

static int try_place(struct subject *s, const char *instance, struct err *e)
{
    auto_free char *name = mem_strdup(s->name);
    char *items[] = {name, NULL};
    struct strv names = {.items = items, .count = 1};
    struct volume_attach_many attach = {.names = &names, .to = instance};
    struct volume_move move = {.to = instance};
    const char *at;
    struct err none;

    if (begin(s, e) < 0)
        return -1;
    if (volume_attachment(&at, &s->run.maps, s->name, NULL, &none) < 0)
        return volume_attach_many(&s->run, &attach, e);
    return strcmp(at, instance) == 0 ? 0 : volume_move_to(&s->run, &move, s->name, e);
}

/* Has this instance serve the volume, whoever served it before. A client that has just left may
 * count as one for a moment. */
static int place(struct subject *s, const char *instance, struct err *e)
{
    int64_t deadline = clock_deadline(PLACE_MS);
    int result;

    while ((result = try_place(s, instance, e)) < 0 && e->code == ERR_UNHEALTHY &&
           !clock_passed(deadline) && !sig_interrupts())
        clock_sleep_ms(POLL_MS);
    return result;
}

/* ---- the volume goes again --------------------------------------------------------------------
 */

static int detach_all(struct subject *s, const char *name, struct err *e)
{
    struct err none;
    const char *at;

    while (volume_attachment(&at, &s->run.maps, name, NULL, &none) == 0) {
        const struct spec_instance *i = spec_instance(s->run.spec, at);
        auto_free char *from = mem_strdup(at);
        bool alive = volume_run_alive(&s->run, i);

        if (volume_detach_from(&s->run, name, from,
                               alive ? VOLUME_DETACH_FORCED : VOLUME_DETACH_UNHEARD, e) < 0 ||
            volume_run_again(&s->run, e) < 0)
            return -1;
    }
    return 0;
}

static int try_remove(struct subject *s, const char *name, struct err *e)
{
    auto_free char *owned = mem_strdup(name);
    char *items[] = {owned, NULL};
    struct strv names = {.items = items, .count = 1};

    if (begin(s, e) < 0 || detach_all(s, name, e) < 0)
        return -1;
    return node_get(s->run.maps.volumes, name) ? volume_delete_many(&s->run, &names, true, e) : 0;
}

/* A driver that died takes a moment to let go of it. */
static int remove_volume(struct subject *s, const char *name, struct err *e)
{
    int64_t deadline = clock_deadline(REMOVE_MS);
    int result;

    while ((result = try_remove(s, name, e)) < 0 && e->code != ERR_INTERRUPTED &&
           !clock_passed(deadline) && !sig_interrupts())
        clock_sleep_ms(AGAIN_MS);
    return result;
}

/* What a killed check left: older than any check lives. */
static void sweep(struct subject *s)
{
    auto_strv struct strv old = {0};
    const struct node *v;
    struct err e;

    node_for_each (v, s->run.maps.volumes) {
        long long made = strncmp(v->key, PREFIX, strlen(PREFIX)) == 0
                             ? strtoll(v->key + strlen(PREFIX), NULL, 10)
                             : 0;

        if (made > 0 && made + LEFT_OVER_S < clock_wall_ms() / 1000)
            strv_add(&old, v->key);
    }
    for (size_t i = 0; i < old.count; i++) {
        if (remove_volume(s, old.items[i], &e) < 0)
            err_drop(&e, "removing what an earlier check left");
        else
            check_add(&s->check, "volumes.leftover", CHECK_WARNING,
                      "nothing to do; a check was killed",
                      "removed the volume %s, which an earlier check had left", old.items[i]);
    }
}

/* ---- results ----------------------------------------------------------------------------------
 */

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
    const struct catalog *catalog = s->x.catalog;

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
    struct err e;
    int before;

    if (create(s, &e) < 0)
        add_failure(s, "volumes.create", "a volume for the check", &e);
    else {
        if (s->check.pick)
            check_add(&s->check, "volumes.create", CHECK_SUCCESS, NULL, "%s", s->name);
        for (size_t i = 0; i <= all->count && !sig_interrupts(); i++)
            if (i < all->count || all->count > 1)
                visit(s, all->items[i % all->count], i < all->count);
    }
    before = sig_set_aside();
    if (remove_volume(s, s->name, &e) < 0)
        check_add(&s->check, "volumes.remove", CHECK_FAILED,
                  "a check ten minutes from now removes it; or `slipway volume detach` with "
                  "--force, and `slipway volume delete`",
                  "the volume %s is left: %s", s->name, e.msg);
    else if (s->check.pick)
        check_add(&s->check, "volumes.remove", CHECK_SUCCESS, NULL, "%s is gone", s->name);
    sig_put_back(before);
}

static void check_volumes(struct check *c)
{
    auto_free char *name =
        mem_printf("%s%lld-%d", PREFIX, (long long)(clock_wall_ms() / 1000), (int)getpid());
    struct subject s = {.check = *c, .x = *c->x, .name = name};
    struct err e;

    s.check.x = &s.x;
    s.x.engine = NULL;
    s.x.etcd = NULL;
    choose_instances(&s);
    if (s.instances.count == 0) {
        strv_clear(&s.instances);
        return;
    }
    if (engine_clone(&s.x.engine, c->x->engine, &e) < 0 ||
        connect_etcd(&s.x.etcd, c->x->containers, c->x->env, &c->x->key, &e) < 0 ||
        begin(&s, &e) < 0) {
        check_add(c, "volumes.create", CHECK_EXCEPTION, NULL, "%s", e.msg);
    } else {
        sweep(&s);
        go_round(&s);
    }
    if (s.open)
        volume_run_close(&s.run);
    strv_clear(&s.instances);
    etcd_close(s.x.etcd);
    engine_close(s.x.engine);
}

static const char *const tests[] = {"create", "write", "move", "remove", "leftover", NULL};
const struct check_module check_module_volumes = {
    .name = "volumes", .tests = tests, .applies = check_has_drivers, .run = check_volumes};

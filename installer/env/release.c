/* SPDX-License-Identifier: MIT */
#include "env/release.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/pool.h"
#include "conf/json.h"
#include "env/instances.h"
#include "env/release_item.h"
#include "model/keys.h"
#include "plan/connect.h"
#include "plan/lock.h"

enum {
    FILE_MAX = 64 << 20,
    TIMEOUT_MS = 10 * 60 * 1000,
    RSYNCS = 16, /* more is not faster, 4 is slower */
    ENGINE_PARALLEL = 8,
    ETCD_MS = 30 * 1000,
    EXTRA_MS = 30 * 1000, /* until the answer to a trial is there */
};

/* ---- the file ---- */

int release_load(char **data, size_t *len, char digest[CRYPTO_HEX_LEN], const char *path,
                 struct err *e)
{
    if (fs_read(data, len, path, FILE_MAX, e) < 0)
        return -1;
    if (*len == 0)
        return err_set(e, ERR_CONFIG, "%s is empty", path);
    crypto_sha256_hex(digest, *data, *len);
    return 0;
}

static int load_file(struct release_work *w, struct err *e)
{
    const char *path = w->o->file ? w->o->file : w->env->o.paths->agent;

    if (w->o->verb != RELEASE_VERB_DEPLOY)
        return 0;
    w->file = realpath(path, NULL); /* rsync would leave a link out */
    if (!w->file)
        return err_sys(e, "%s", path);
    return release_load(&w->data, &w->len, w->digest, path, e);
}

/* ---- etcd ---- */

static int take_lock(struct release_work *w, struct err *e)
{
    struct env *env = w->env;
    struct lock_opts lo = {.env = env->name,
                           .folder = env->folder,
                           .user = env->user,
                           .command = w->o->verb == RELEASE_VERB_DEPLOY ? "agent deploy"
                                                                        : "agent rollback",
                           .wait_ms = w->o->lock_wait_ms,
                           .until = env->until,
                           .client = env->etcd};
    struct link *root = NULL;
    int r;

    if (w->o->verb == RELEASE_VERB_STATUS)
        return 0;
    if (lock_open(&w->lock, &lo, e) < 0)
        return -1;
    r = connect_root_link(&root, env->containers, env->name, &env->key, e);
    if (r == 0)
        r = lock_take(w->lock, root, e);
    link_free(root);
    return r;
}

/* An instance says which releases were put back in it; so that is known also where the run that
 * deployed them ended before it could say so itself. */
static bool instance_names(const struct etcd_kv *kv, const char *digest)
{
    auto_node struct node *status = NULL;
    const struct node *bad;
    struct keys_path path;
    struct err e;

    if (!keys_parse(&path, kv->key) || path.kind != KEYS_KIND_INSTANCE_STATUS)
        return false;
    if (json_parse(&status, "etcd", kv->value, strlen(kv->value), &e) < 0) {
        err_drop(&e, "the status of an instance");
        return false;
    }
    node_for_each (bad, node_get(status, "bad")) {
        if (bad->text && strcmp(bad->text, digest) == 0)
            return true;
    }
    return false;
}

/* Where a release may be named as bad: for all, and by each instance that has a container (a status
 * goes with its agent). */
static void bad_keys(struct strv *out, const struct release_work *w)
{
    auto_free char *all = keys_release_bad(w->env->name, w->digest);
    auto_strv struct strv instances = {0};

    strv_add(out, all);
    instances_all(&instances, w->env);
    for (size_t i = 0; i < instances.count; i++) {
        auto_free char *key = keys_instance_status(w->env->name, instances.items[i]);

        strv_add(out, key);
    }
}

static int check_bad(struct release_work *w, struct err *e)
{
    auto_strv struct strv keys = {0};
    struct etcd_kvs kvs = {0};
    int r;

    if (w->o->verb != RELEASE_VERB_DEPLOY || w->o->again)
        return 0;
    bad_keys(&keys, w);
    etcd_set_deadline(w->env->etcd, clock_deadline(ETCD_MS));
    r = etcd_range_many(&kvs, w->env->etcd, (const char *const *)keys.items, keys.count, e);
    for (size_t i = 0; r == 0 && i < kvs.count; i++)
        if (strcmp(kvs.items[i].key, keys.items[0]) == 0 ||
            instance_names(&kvs.items[i], w->digest))
            r = err_set(e, ERR_CONFLICT,
                        "release %.12s was put back before and is named as bad; deploy another "
                        "one, or this one with --again",
                        w->digest);
    etcd_kvs_clear(&kvs);
    return r;
}

/* For everybody, and for good. */
static void name_bad(struct release_work *w)
{
    auto_free char *key = keys_release_bad(w->env->name, w->digest);
    const struct release_result *first = NULL;
    struct etcd_txn *t;
    struct err e;

    for (size_t i = 0; i < w->count && !first; i++)
        if (w->items[i].result->end == RELEASE_END_BACK)
            first = w->items[i].result;
    if (w->o->verb != RELEASE_VERB_DEPLOY || !first)
        return;
    auto_node struct node *n = node_new_map();
    node_set_text(n, "instance", first->instance);
    node_set_text(n, "why", first->error.msg);
    auto_free char *text = json_text(n);
    t = etcd_txn_new();
    etcd_txn_if(t, lock_key(w->lock), ETCD_CMP_CREATE_EQ, lock_revision(w->lock));
    etcd_txn_put(t, key, text, 0);
    etcd_set_deadline(w->env->etcd, clock_deadline(ETCD_MS));
    /* The instance has named it already. */
    if (etcd_txn_run(w->env->etcd, t, NULL, &e) < 0)
        err_drop(&e, "naming a release as bad");
    etcd_txn_free(t);
}

static void forget_bad(struct release_work *w)
{
    auto_free char *key = keys_release_bad(w->env->name, w->digest);
    struct err e;
    int64_t deleted;

    if (!w->o->again || w->o->verb != RELEASE_VERB_DEPLOY)
        return;
    etcd_set_deadline(w->env->etcd, clock_deadline(ETCD_MS));
    if (etcd_delete(w->env->etcd, key, &deleted, &e) < 0)
        err_drop(&e, "trying a bad release again");
}

/* ---- all ---- */

static void engine_job(void *arg, size_t i)
{
    struct release_work *w = arg;
    struct release_item *it = &w->items[i];
    struct engine *g = NULL;
    struct err *e = &it->result->error;
    int64_t began = clock_now_ms();

    if (it->over_ssh)
        return;
    if (until_check_wait(w->until, "nothing was begun", e) == 0 &&
        engine_clone(&g, w->env->engine, e) == 0) {
        engine_set_until(g, w->until);
        release_by_engine(w, it, g, e);
    }
    engine_close(g);
    it->result->took_ms = clock_now_ms() - began;
}

static void build(struct release_work *w, struct release_result *results, const struct strv *names)
{
    w->count = names->count;
    w->items = mem_array(w->count, sizeof(*w->items));
    for (size_t i = 0; i < w->count; i++) {
        const char *name = names->items[i];

        results[i] = (struct release_result){.instance = name};
        w->items[i] = (struct release_item){.result = &results[i], .w = w};
        w->items[i].over_ssh = ssh_answers(w->env, name);
    }
}

/* The trials of those that are reached over SSH run together, then those of the others by
 * eights. */
static int64_t time_needed(const struct release_work *w)
{
    size_t others = 0;

    for (size_t i = 0; i < w->count; i++)
        others += !w->items[i].over_ssh;
    size_t rounds = 1 + (others + ENGINE_PARALLEL - 1) / ENGINE_PARALLEL;
    return TIMEOUT_MS + (int64_t)rounds * (w->trial_ms + EXTRA_MS);
}

static int begin(struct release_work *w, struct err *e)
{
    if (until_check_wait(w->env->until, "nothing was begun", e) < 0 || load_file(w, e) < 0 ||
        take_lock(w, e) < 0 || check_bad(w, e) < 0)
        return -1;
    forget_bad(w);
    release_step(w);
    return 0;
}

int release_run(struct release_result **results, struct env *env, const struct strv *names,
                const struct release_opts *o, struct err *e)
{
    struct release_work w = {.env = env, .o = o, .parallel = RSYNCS};
    int r;

    *results = NULL;
    w.fault = fault_parse(o->fault);
    pthread_mutex_init(&w.stepping, NULL);
    w.trial_ms = o->trial_ms ? o->trial_ms : RELEASE_TRIAL_MS;
    r = begin(&w, e);
    if (r == 0) {
        *results = mem_array(names->count, sizeof(**results));
        build(&w, *results, names);
        w.until = until_before(env->until, env_deadline(env, time_needed(&w)));
        r = release_over_ssh(&w, e);
    }
    if (r == 0) {
        pool_run(w.count, ENGINE_PARALLEL, engine_job, &w);
        release_step(&w);
        name_bad(&w);
        release_step(&w);
    }
    for (size_t i = 0; i < w.count; i++)
        release_item_clear(&w.items[i]);
    if (r < 0) {
        free(*results);
        *results = NULL;
    }
    lock_close(w.lock);
    pthread_mutex_destroy(&w.stepping);
    free(w.items);
    free(w.data);
    free(w.file);
    return r;
}

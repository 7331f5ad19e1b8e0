/* SPDX-License-Identifier: MIT */
#include "env/key_rotate.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"
#include "env/config.h"
#include "env/instances.h"
#include "env/ssh.h"
#include "env/ssh_state.h"
#include "host/host.h"
#include "model/keys.h"
#include "plan/audit.h"
#include "plan/desired.h"

enum { STORE_TRIES = 5, LOGIN_MS = 10000, AGAIN_MS = 500, CONNECTIONS = 4, CALL_MS = 10000 };

struct rotation {
    struct env *env;
    const struct key_rotate_opts *o;
    struct key_rotate *out;
    struct config_state s; /* with the lock */
    struct ssh_state state;
    struct strv deployed; /* instances that have a key that deploys agents */
};

static void say(const struct rotation *r, const char *text)
{
    if (r->o->step)
        r->o->step(r->o->arg, text);
}

/* ---- what is written down ---- */

static int read_state(struct rotation *r, struct err *e)
{
    edits_document_clear(&r->s.d);
    etcd_set_deadline(r->env->etcd, clock_deadline(CALL_MS));
    return edits_document_read(&r->s.d, r->env->etcd, r->env->name, r->env->catalog, e);
}

/* The document goes with it as it is in force: instances may have changed keys since it was
 * stored, and a document that is newer than those would count. */
static int put_state(struct rotation *rotation, const struct ssh_state *to, struct err *e)
{
    auto_node struct node *root = node_copy(rotation->s.d.root), *detail = node_new_map();
    auto_free char *key = keys_spec(rotation->env->name);
    auto_free char *text = NULL;
    struct etcd_txn *t = etcd_txn_new();
    int r;

    node_set(root, "document", node_copy(rotation->s.d.document));
    ssh_state_write(root, to);
    text = json_text(root);
    etcd_txn_if(t, lock_key(rotation->s.lock), ETCD_CMP_CREATE_EQ, lock_revision(rotation->s.lock));
    etcd_txn_if(t, key, ETCD_CMP_MOD_EQ, rotation->s.d.mod_revision);
    for (size_t i = 0; i < rotation->s.d.edits.count; i++) {
        const struct etcd_kv *kv =
            etcd_kvs_find(&rotation->s.d.edited, rotation->s.d.edits.items[i].key);

        etcd_txn_if(t, rotation->s.d.edits.items[i].key, ETCD_CMP_MOD_EQ,
                    kv ? kv->mod_revision : 0);
    }
    etcd_txn_put(t, key, text, 0);
    node_set_int(detail, "generation", to->generation);
    if (to->next)
        node_set_int(detail, "next", to->next);
    if (to->previous)
        node_set_int(detail, "previous", to->previous);
    audit_add(t, rotation->env->name, rotation->env->user, rotation->s.commit.what, detail);
    r = etcd_txn_run(rotation->env->etcd, t, NULL, e);
    etcd_txn_free(t);
    return r;
}

static int store(struct rotation *r, const struct ssh_state *to, struct err *e)
{
    for (int i = 0;; i++) {
        if (read_state(r, e) < 0)
            return -1;
        if (put_state(r, to, e) == 0)
            break;
        if (e->code != ERR_CONFLICT || i == STORE_TRIES || lock_is_lost(r->s.lock))
            return err_wrap(e, "noting which SSH key is in use");
        err_drop(e, "the document was changed meanwhile");
    }
    r->state = *to;
    env_ssh_state_keep(r->env, to);
    return 0;
}

/* ---- authorized_keys ---- */

static int add_changes(struct node *out, struct rotation *r, const struct etcd_kvs *kvs,
                       struct err *e)
{
    for (size_t i = 0; i < kvs->count; i++) {
        auto_node struct node *lines = node_new_map();
        struct keys_path k;

        if (!keys_parse(&k, kvs->items[i].key) || k.kind != KEYS_KIND_INSTANCE_SECRET)
            continue;
        bool deploys = strcmp(k.name, SECRET_SSH_DEPLOY) == 0;
        if (!deploys && strcmp(k.name, SECRET_SSH_AUTHORIZED) != 0)
            continue;
        if (deploys && !strv_has(&r->deployed, k.instance))
            strv_add(&r->deployed, k.instance);
        if ((deploys ? desired_deployers : desired_authorized)(lines, &r->env->key, r->env->name,
                                                               k.instance, e) < 0)
            return -1;
        if (strcmp(lines->items[0]->text, kvs->items[i].value) != 0)
            node_set_text(out, kvs->items[i].key, lines->items[0]->text);
    }
    return 0;
}

/* What the state says, into the keys of every instance that has any. */
static int push(struct rotation *rotation, struct err *e)
{
    auto_free char *all = keys_env(rotation->env->name);
    auto_node struct node *changes = node_new_map();
    const struct etcd_push_opts o = {lock_key(rotation->s.lock), lock_revision(rotation->s.lock),
                                     CONNECTIONS};
    struct etcd_write *writes;
    struct etcd_kvs kvs = {0};
    int r;

    etcd_set_deadline(rotation->env->etcd, clock_deadline(CALL_MS));
    r = etcd_range(&kvs, rotation->env->etcd, all, e);
    if (r == 0)
        r = add_changes(changes, rotation, &kvs, e);
    writes = mem_array(changes->count + 1, sizeof(*writes));
    for (size_t i = 0; i < changes->count; i++)
        writes[i] = (struct etcd_write){changes->items[i]->key, changes->items[i]->text};
    if (r == 0 && changes->count)
        r = etcd_push(rotation->env->etcd, writes, changes->count, &o, NULL, e);
    free(writes);
    etcd_kvs_clear(&kvs);
    return r;
}

/* ---- logging in ---- */

/* With one key at one instance. */
struct attempt {
    const char *instance;
    bool deploy; /* with the key that deploys agents */
    struct ssh_login login;
    struct host_job job;
    bool done;
};

static int start(struct hosts *h, const struct rotation *r, struct attempt *a, unsigned generation,
                 struct err *e)
{
    if ((a->deploy ? ssh_login_deploy_generation
                   : ssh_login_generation)(&a->login, r->env, a->instance, generation, e) < 0)
        return -1;
    const struct host_target t = ssh_login_target(&a->login);
    a->job = (struct host_job){.command = a->deploy ? "release status" : "true",
                               .until = until_within(r->env->until, LOGIN_MS)};
    hosts_start(h, &t, &a->job);
    return 0;
}

/* An image that is too old to exchange its agent takes the key all the same. */
static bool is_done(const struct attempt *a, bool good)
{
    const struct host_job *j = &a->job;

    return good ? j->error.code == ERR_NONE && (a->deploy || j->status == 0)
                : j->error.code == ERR_AUTH && !j->began;
}

/* Tries those that are not done; `good`: whether the key has to be taken, or to be refused. */
static int try_all(const struct rotation *rotation, struct attempt *all, unsigned generation,
                   bool good, struct err *e)
{
    struct hosts *h = hosts_new(NULL); /* new ones: a refused key is not shown again for a while */
    int r = 0;

    for (struct attempt *a = all; a->instance && r == 0; a++)
        if (!a->done)
            r = start(h, rotation, a, generation, e);
    if (r == 0)
        hosts_finish(h);
    hosts_free(h);
    for (struct attempt *a = all; a->instance; a++) {
        ssh_login_clear(&a->login);
        if (r == 0 && !a->done)
            a->done = is_done(a, good);
    }
    return r;
}

static const struct attempt *undone(const struct attempt *all)
{
    for (; all->instance; all++)
        if (!all->done)
            return all;
    return NULL;
}

/* Ends with one of no instance. */
static struct attempt *attempts(const struct rotation *r)
{
    const struct strv *names = &r->out->instances;
    struct attempt *all = mem_array(2 * names->count + 1, sizeof(*all)), *a = all;

    for (size_t i = 0; i < names->count; i++) {
        (a++)->instance = names->items[i];
        if (strv_has(&r->deployed, names->items[i]))
            *a++ = (struct attempt){.instance = names->items[i], .deploy = true};
    }
    return all;
}

/* Until every agent has written the file. */
static int verify(const struct rotation *rotation, unsigned generation, bool good, struct err *e)
{
    struct attempt *all = attempts(rotation);
    int64_t deadline = env_deadline(rotation->env, KEY_ROTATE_TIMEOUT_MS);
    const struct attempt *left;
    int r;

    while ((r = try_all(rotation, all, generation, good, e)) == 0 && (left = undone(all))) {
        if (until_is_cancelled(rotation->env->until)) {
            r = err_set(e, ERR_INTERRUPTED,
                        "interrupted; run `slipway key rotate ssh` again to go on");
        } else if (clock_passed(deadline)) {
            err_set(e, ERR_TIMEOUT, "%s %s; run `slipway key rotate ssh` again to go on",
                    left->instance,
                    good ? left->job.error.code != ERR_NONE ? left->job.error.msg
                                                            : "does not run `true`"
                         : "still accepts the old key");
            r = err_partial(e, true);
        }
        if (r < 0)
            break;
        until_sleep_ms(rotation->env->until, AGAIN_MS);
    }
    free(all);
    return r;
}

/* ---- the steps ---- */

static void find_instances(struct rotation *r)
{
    auto_strv struct strv names = {0};

    instances_all(&names, r->env);
    for (size_t i = 0; i < names.count; i++) {
        const char *state = instances_state(r->env, names.items[i]);
        /* One that is paused goes on with the keys that it has: it has to be seen. */
        bool ended = strcmp(state, "exited") == 0 || strcmp(state, "created") == 0 ||
                     strcmp(state, "dead") == 0;

        if (ssh_is_on(r->env, names.items[i]))
            strv_add(ended ? &r->out->stopped : &r->out->instances, names.items[i]);
    }
}

static int begin(struct rotation *r, struct err *e)
{
    ssh_state_read(&r->state, r->s.d.root);
    env_ssh_state_keep(r->env, &r->state);
    r->out->resumed = r->state.next || r->state.previous;
    if (r->out->resumed) {
        say(r, "going on with a rotation that was cut off");
        return 0;
    }
    return store(
        r, &(struct ssh_state){.generation = r->state.generation, .next = r->state.generation + 1},
        e);
}

static int add_new(struct rotation *r, struct err *e)
{
    const struct ssh_state changed = {.generation = r->state.next, .previous = r->state.generation};

    if (push(r, e) < 0)
        return err_wrap(e, "adding the new key");
    say(r, "the new key is stored for every instance");
    if (verify(r, r->state.next, true, e) < 0)
        return err_wrap(e, "logging in with the new key");
    say(r, "every running instance accepts the new key");
    return store(r, &changed, e);
}

static int remove_old(struct rotation *r, struct err *e)
{
    if (push(r, e) < 0)
        return err_wrap(e, "removing the old key");
    say(r, "the old key is taken out of what is stored");
    if (verify(r, r->state.previous, false, e) < 0 || verify(r, r->state.generation, true, e) < 0)
        return err_wrap(e, "removing the old key");
    say(r, "no running instance accepts the old key");
    r->out->from = r->state.previous;
    r->out->to = r->state.generation;
    return store(r, &(struct ssh_state){.generation = r->state.generation}, e);
}

int env_key_rotate_ssh(struct key_rotate *out, struct env *env, const struct key_rotate_opts *o,
                       struct err *e)
{
    struct rotation rotation = {.env = env, .o = o, .out = out};
    const struct config_commit c = {.what = "key rotate ssh", .lock_wait_ms = o->lock_wait_ms};
    int r;

    *out = (struct key_rotate){0};
    if (env_need(env, ENV_NEEDS_NAME | ENV_NEEDS_CATALOG | ENV_NEEDS_ETCD, e) < 0)
        return -1;
    r = config_begin(&rotation.s, env, NULL, &c, e);
    if (r == 0) {
        find_instances(&rotation);
        r = begin(&rotation, e);
    }
    if (r == 0 && rotation.state.next)
        r = add_new(&rotation, e);
    if (r == 0)
        r = remove_old(&rotation, e);
    config_close(&rotation.s);
    strv_clear(&rotation.deployed);
    return r;
}

void key_rotate_clear(struct key_rotate *r)
{
    strv_clear(&r->instances);
    strv_clear(&r->stopped);
    *r = (struct key_rotate){0};
}

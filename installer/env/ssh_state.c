/* SPDX-License-Identifier: MIT */
#include "env/ssh_state.h"

#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"
#include "plan/connect.h"

enum { ASK_MS = 2000 };

void env_ssh_state_keep(struct env *env, const struct ssh_state *s)
{
    struct err e;

    if (s->generation == env->key.ssh.generation && s->next == env->key.ssh.next &&
        s->previous == env->key.ssh.previous)
        return;
    env->key.ssh = *s;
    if (ssh_state_save(env->folder, s, &e) < 0)
        err_drop(&e, "noting which SSH key is in use");
}

static int ask(struct ssh_state *s, struct etcd *c, const char *env, struct err *e)
{
    auto_free char *key = keys_spec(env);
    auto_node struct node *root = NULL;
    struct etcd_kv kv = {0};
    int r = etcd_get(&kv, c, key, e);

    if (r == 0)
        r = json_parse(&root, key, kv.value, kv.value_len, e);
    if (r == 0)
        ssh_state_read(s, root);
    etcd_kv_clear(&kv);
    return r;
}

void env_ssh_state_ask(struct env *env)
{
    struct ssh_state s = env->key.ssh;
    struct etcd *c = NULL;
    struct err e;

    if (connect_etcd(&c, env->containers, env->name, &env->key, &e) == 0) {
        etcd_set_until(c, until_within(env->until, ASK_MS));
        if (ask(&s, c, env->name, &e) == 0)
            env_ssh_state_keep(env, &s);
        else
            err_drop(&e, "asking etcd which SSH key is in use");
    } else {
        err_drop(&e, "asking etcd which SSH key is in use");
    }
    etcd_close(c);
}

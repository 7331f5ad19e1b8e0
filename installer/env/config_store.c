/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "env/config.h"
#include "conf/json.h"
#include "conf/text.h"
#include "model/keys.h"
#include "plan/audit.h"
#include "plan/connect.h"
#include "plan/document.h"

/* A value that others put into etcd may be larger than any of ours; the history needs no more of it
 * than what tells it from others, and the request must fit. */
enum { KEPT_MAX = 128 << 10, DEADLINE_MS = 10000 };

static struct node *audit_detail(const struct config_state *s)
{
    struct node *n = node_new_map();
    auto_free char *target = config_target_text(&s->target);
    struct node *list;
    const struct node *c;

    node_set_text(n, "target", target);
    list = node_set(n, "changes", node_new_list());
    node_for_each (c, s->changes) {
        struct node *entry = node_add(list, node_copy(c));
        const char *old = node_get_text(entry, "old");

        if (old && strlen(old) > KEPT_MAX) {
            auto_free char *start = mem_strndup(old, text_cut(old, KEPT_MAX));

            node_set_text(entry, "old", start);
        }
        node_remove(entry, "key");
        node_remove(entry, "apply");
    }
    return n;
}

static int push(const struct config_state *s, struct err *e)
{
    auto_node struct node *root = node_copy(s->d.root), *detail = audit_detail(s);
    auto_free char *key = keys_spec(s->env->name);
    auto_free char *text = NULL;
    struct etcd_txn *t = etcd_txn_new();
    const struct node *n;
    int r;

    node_set(root, "document", node_copy(s->spec->document));
    text = json_text(root);
    etcd_txn_if(t, lock_key(s->lock), ETCD_CMP_CREATE_EQ, lock_revision(s->lock));
    etcd_txn_if(t, key, ETCD_CMP_MOD_EQ, s->d.mod_revision);
    for (size_t i = 0; i < s->d.edits.count; i++) {
        const struct etcd_kv *kv = etcd_kvs_find(&s->d.edited, s->d.edits.items[i].key);

        etcd_txn_if(t, s->d.edits.items[i].key, ETCD_CMP_MOD_EQ, kv ? kv->mod_revision : 0);
    }
    etcd_txn_put(t, key, text, 0);
    node_for_each (n, s->changes) {
        if (node_get(n, "new"))
            etcd_txn_put(t, node_get_text(n, "key"), node_get_text(n, "new"), 0);
        else
            etcd_txn_delete(t, node_get_text(n, "key"));
    }
    if (!s->commit.unrecorded)
        audit_add(t, s->env->name, s->env->user, s->commit.what, detail);
    r = etcd_txn_count(t) > ETCD_TXN_MAX
            ? err_set(e, ERR_CONFIG, "%zu changes at once; at most %d fit in one step",
                      s->changes->count, ETCD_TXN_MAX - 2)
            : etcd_txn_run(s->env->etcd, t, NULL, e);
    etcd_txn_free(t);
    if (r < 0 && e->code == ERR_CONFLICT)
        return err_set(
            e, ERR_CONFLICT,
            "the configuration was changed by someone else meanwhile; look and try again");
    if (r < 0)
        return -1;
    s->env->changed = s->env->changed || !s->commit.unrecorded;
    if (document_save(s->env->folder, s->spec->document, e) == 0)
        return 0;
    err_wrap(e, "the change is stored and takes effect, but not in the operator's copy, which "
                "`slipway up` writes when there is room again");
    return err_partial(e, true);
}

int config_lock(struct config_state *s, const struct config_commit *o, struct err *e)
{
    struct env *env = s->env;
    struct lock_opts lo = {.env = env->name,
                           .folder = env->folder,
                           .user = env->user,
                           .command = o->what,
                           .wait_ms = o->lock_wait_ms,
                           .until = env->until,
                           .client = env->etcd};
    struct link *root = NULL;
    int r;

    s->commit = *o;
    if (o->dry_run)
        return 0;
    if (lock_open(&s->lock, &lo, e) < 0)
        return -1;
    r = connect_root_link(&root, env->containers, env->name, &env->key, e);
    if (r == 0)
        r = lock_take(s->lock, root, e);
    link_free(root);
    etcd_set_deadline(env->etcd, env_deadline(env, DEADLINE_MS));
    return r;
}

int config_store(struct config_state *s, struct err *e)
{
    int r = s->changes->count && !s->commit.dry_run ? push(s, e) : 0;

    lock_close(steal(s->lock));
    return r;
}

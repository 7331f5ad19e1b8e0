/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/config.h"
#include "cmd/out.h"
#include "conf/json.h"
#include "conf/text.h"
#include "model/change.h"
#include "model/keys.h"
#include "plan/audit.h"
#include "plan/connect.h"
#include "plan/document.h"
#include "plan/lock.h"

/* A value that others put into etcd may be larger than any of ours; the history needs no more of it
 * than what tells it from others, and the request must fit. */
enum { KEPT_MAX = 128 << 10 };

static void print_change(const struct config_state *s, const struct node *n)
{
    const char *name = node_get_text(n, "name"), *instance = node_get_text(n, "instance");
    auto_buf struct buf change = {0}, b = {0};

    buf_init(&change, 16384);
    buf_init(&b, 65536);
    change_format(&change, manifest_config(s->manifest, name), node_get_text(n, "old"),
                  node_get_text(n, "new"));
    buf_printf(&b, "%s%s%s %s: ", s->target.component, instance ? "/" : "",
               instance ? instance : "", name);
    out_safe(&b, buf_str(&change), change.len);
    buf_printf(&b, " (%s)\n", node_get_text(n, "apply"));
    out_buf(&b);
}

static void print(const struct config_state *s, bool dry_run)
{
    const struct node *n;

    if (s->x->json) {
        auto_node struct node *root = node_new_map();

        node_set_bool(root, "changed", !dry_run && s->changes->count > 0);
        node_set(root, "changes", node_copy(s->changes));
        out_json(root);
        return;
    }
    if (s->x->quiet)
        return;
    node_for_each (n, s->changes) {
        print_change(s, n);
    }
    if (s->changes->count == 0)
        puts("nothing to change");
    else if (dry_run)
        puts("nothing was changed (--dry-run)");
}

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

static int push(const struct config_state *s, const struct env_lock *lock,
                const struct config_commit *o, struct err *e)
{
    auto_node struct node *root = node_copy(s->root), *detail = audit_detail(s);
    auto_free char *key = keys_spec(s->x->env);
    auto_free char *text = NULL;
    struct etcd_txn *t = etcd_txn_new();
    const struct node *n;
    int r;

    node_set(root, "document", node_copy(s->spec->document));
    text = json_text(root);
    etcd_txn_if(t, lock_key(lock), ETCD_CMP_CREATE_EQ, lock_revision(lock));
    etcd_txn_if(t, key, ETCD_CMP_MOD_EQ, s->mod_revision);
    for (size_t i = 0; i < s->edits.count; i++) {
        const struct etcd_kv *kv = etcd_kvs_find(&s->edited, s->edits.items[i].key);

        etcd_txn_if(t, s->edits.items[i].key, ETCD_CMP_MOD_EQ, kv ? kv->mod_revision : 0);
    }
    etcd_txn_put(t, key, text, 0);
    node_for_each (n, s->changes) {
        if (node_get(n, "new"))
            etcd_txn_put(t, node_get_text(n, "key"), node_get_text(n, "new"), 0);
        else
            etcd_txn_delete(t, node_get_text(n, "key"));
    }
    if (!o->unrecorded)
        audit_add(t, s->x->env, o->what, detail);
    r = etcd_txn_count(t) > ETCD_TXN_MAX
            ? err_set(e, ERR_CONFIG, "%zu changes at once; at most %d fit in one step",
                      s->changes->count, ETCD_TXN_MAX - 2)
            : etcd_txn_run(s->x->etcd, t, NULL, e);
    etcd_txn_free(t);
    if (r == 0)
        r = document_save(s->x->env, s->spec->document, e);
    if (r < 0 && e->code == ERR_CONFLICT)
        return err_set(
            e, ERR_CONFLICT,
            "the configuration was changed by someone else meanwhile; look and try again");
    return r;
}

int config_store(struct config_state *s, const struct config_commit *o, struct err *e)
{
    struct lock_opts lo = {.env = s->x->env, .command = o->what, .wait_ms = o->lock_wait_ms};
    struct env_lock *lock = NULL;
    struct link *root = NULL;
    int r = -1;

    if (s->changes->count && !o->dry_run) {
        if (lock_open(&lock, &lo, e) == 0 &&
            connect_root_link(&root, s->x->containers, s->x->env, &s->x->key, e) == 0 &&
            lock_take(lock, root, e) == 0)
            r = push(s, lock, o, e);
        lock_close(lock);
        link_free(root);
        return r;
    }
    return 0;
}

int config_commit(struct config_state *s, const struct config_commit *o, struct err *e)
{
    if (config_store(s, o, e) < 0)
        return -1;
    print(s, o->dry_run);
    return 0;
}

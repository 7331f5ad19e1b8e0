/* SPDX-License-Identifier: MIT */
/* Part of plan_up: values that a command set and that the document takes back. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/change.h"
#include "model/keys.h"
#include "plan/audit.h"
#include "plan/plan_up.h"

enum { NOTE_MAX = 8192 };

/* Whether `now`, NULL: no value, is what this change of the audit trail made of a key. */
static bool made(const struct node *change, const struct keys_path *k, const char *now)
{
    const char *instance = node_get_text(change, "instance");
    const char *name = node_get_text(change, "name"), *value = node_get_text(change, "new");

    return name && strcmp(name, k->name) == 0 &&
           strcmp(instance ? instance : "", k->instance) == 0 &&
           (value && now ? strcmp(value, now) == 0 : !value && !now);
}

/* An entry that `config set`, `edit` or `delete` made. */
static bool is_config(const struct node *entry)
{
    const char *what = node_get_text(entry, "what");

    return what && strncmp(what, "config ", strlen("config ")) == 0;
}

struct take_back {
    struct builder *b;
    const struct manifest *m;
    const struct node *writes, *was;
    struct node *named; /* the keys that later entries were about */
};

static void note(const struct take_back *t, const struct keys_path *k, const struct node *value,
                 const struct node *entry, const char *time)
{
    auto_buf struct buf b = {0};
    const char *who = node_get_text(entry, "who");

    buf_init(&b, NOTE_MAX);
    buf_printf(&b, "%s %s: ", *k->instance ? k->instance : t->m->name, k->name);
    change_format(&b, manifest_config(t->m, k->name), node_get_text(t->was, value->key),
                  value->kind == NODE_KIND_NULL ? NULL : value->text);
    buf_printf(&b, " takes back what %s set at %s with `slipway %s`", who ? who : "?", time,
               node_get_text(entry, "what"));
    strv_add(&t->b->p->taken_back, buf_str(&b));
}

/* The newest entry about a key decides. */
static void look_at(const struct take_back *t, const struct node *entry, const char *time)
{
    const struct node *changes = node_find(entry, "detail.changes"), *change, *value;

    if (!is_config(entry) || !audit_is_about(entry, t->m->name))
        return;
    node_for_each (value, t->writes) {
        struct keys_path k;

        if (!keys_parse(&k, value->key) || !keys_is_config(&k) || node_get(t->named, value->key))
            continue;
        node_for_each (change, changes) {
            if (!made(change, &k, node_get_text(t->was, value->key)))
                continue;
            node_set_bool(t->named, value->key, true);
            note(t, &k, value, entry, time);
        }
    }
}

static bool has_config(const struct node *writes)
{
    const struct node *value;

    node_for_each (value, writes) {
        struct keys_path k;

        if (keys_parse(&k, value->key) && keys_is_config(&k))
            return true;
    }
    return false;
}

void builder_note_taken_back(struct builder *b, const struct desired_component *c,
                             const struct node *writes, const struct node *was)
{
    auto_free char *prefix = keys_audit(b->d->spec->name, "");
    auto_node struct node *named = node_new_map();
    const struct take_back t = {
        .b = b, .m = c->spec->manifest, .writes = writes, .was = was, .named = named};

    if (!has_config(writes))
        return;
    for (size_t i = b->w->keys.count; i-- > 0;) {
        const struct etcd_kv *kv = &b->w->keys.items[i];
        auto_node struct node *entry = NULL;
        struct err e;

        if (strncmp(kv->key, prefix, strlen(prefix)) != 0)
            continue;
        if (json_parse(&entry, kv->key, kv->value, kv->value_len, &e) < 0)
            err_drop(&e, "an entry of the audit trail");
        else
            look_at(&t, entry, kv->key + strlen(prefix));
    }
}

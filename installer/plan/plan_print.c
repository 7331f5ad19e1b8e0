/* SPDX-License-Identifier: MIT */
/* The plan as text and as JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "model/change.h"
#include "plan/plan.h"

/* Bookkeeping that follows from a change and says nothing new to a reader. */
static bool is_detail(const struct op *op)
{
    switch (op->kind) {
    case OP_KIND_LINK_PUT:
    case OP_KIND_LINK_SEND:
    case OP_KIND_ETCD_WAIT:
    case OP_KIND_LOCK_TAKE:
    case OP_KIND_ROLE_ENSURE:
    case OP_KIND_USER_ENSURE:
    case OP_KIND_INSTANCE_WAIT:
    case OP_KIND_INSTANCE_RENAME:
    case OP_KIND_KEYS_REMOVE:
        return true;
    default:
        return false;
    }
}

/* A start that follows this plan's own create is folded into it. */
static bool follows_create(const struct plan *p, const struct op *op)
{
    if (op->kind != OP_KIND_INSTANCE_START)
        return false;
    for (size_t i = 0; i < p->count; i++)
        if (p->ops[i].kind == OP_KIND_INSTANCE_CREATE && strcmp(p->ops[i].target, op->target) == 0)
            return true;
    return false;
}

/* "ceph-osd/memory_target" of ".../components/ceph-osd/config/memory_target". */
static const char *short_key(const char *key)
{
    const char *p = strstr(key, "/config/");

    return p ? p + 8 : NULL;
}

/* What a push changes: configuration by value; a first push is only counted. */
static void print_writes(struct buf *b, const struct op *op)
{
    const struct manifest *m = op->component->spec->manifest;
    const struct node *value;

    if (!op->was || op->was->count == 0)
        return;
    node_for_each (value, op->writes) {
        const char *name = short_key(value->key);
        const char *owner = strstr(value->key, "/instances/");

        if (!name)
            continue;
        buf_puts(b, "      ");
        if (owner)
            buf_printf(b, "%.*s ", (int)(strcspn(owner + 11, "/")), owner + 11);
        buf_printf(b, "%s: ", name);
        change_format(b, manifest_config(m, name), node_get_text(op->was, value->key),
                      value->kind == NODE_KIND_NULL ? NULL : value->text);
        buf_putc(b, '\n');
    }
}

size_t plan_print(struct buf *b, const struct plan *p, bool verbose)
{
    size_t shown = 0;

    for (size_t i = 0; i < p->count; i++) {
        const struct op *op = &p->ops[i];

        if (!verbose && (is_detail(op) || follows_create(p, op)))
            continue;
        buf_printf(b, "  %c %-*s %-9s ", op_sign(op->kind), verbose ? 9 : 7, op_verb(op->kind),
                   op_noun(op->kind));
        if (op->cause)
            buf_printf(b, "%-24s %s\n", op->target, op->cause);
        else
            buf_printf(b, "%s\n", op->target);
        shown++;
        if (op->kind == OP_KIND_KEYS_PUSH)
            print_writes(b, op);
    }
    for (size_t i = 0; i < p->notes.count; i++)
        buf_printf(b, "  ! %s\n", p->notes.items[i]);
    return shown;
}

static struct node *op_json(const struct op *op, size_t id)
{
    struct node *o = node_new_map(), *after;
    auto_free char *title = op_title(op);

    node_set_int(o, "id", (int64_t)id);
    node_set_text(o, "title", title);
    node_set_text(o, "kind", op_noun(op->kind));
    node_set_text(o, "verb", op_verb(op->kind));
    node_set_text(o, "target", op->target);
    node_set_text(o, "cause", op->cause ? op->cause : "");
    after = node_set(o, "after", node_new_list());
    for (size_t k = 0; k < op->dep_count; k++)
        node_add(after, node_new_number((int64_t)op->deps[k]));
    return o;
}

struct node *plan_json(const struct plan *p)
{
    struct node *root = node_new_map(), *list;

    node_set_text(root, "environment", p->env);
    list = node_set(root, "operations", node_new_list());
    for (size_t i = 0; i < p->count; i++)
        node_add(list, op_json(&p->ops[i], i));
    list = node_set(root, "notes", node_new_list());
    for (size_t i = 0; i < p->notes.count; i++)
        node_add_text(list, p->notes.items[i]);
    return root;
}

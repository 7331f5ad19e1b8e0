/* SPDX-License-Identifier: MIT */
/* The plan as text and as JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "model/change.h"
#include "model/keys.h"
#include "plan/plan.h"

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

/* What a push changes: configuration by value; a first push is only counted. */
static void print_writes(struct buf *b, const struct op *op)
{
    const struct manifest *m = op->component->spec->manifest;
    const struct node *value;

    if (!op->was || op->was->count == 0)
        return;
    node_for_each (value, op->writes) {
        struct keys_path k;

        if (!keys_parse(&k, value->key) || !keys_is_config(&k))
            continue;
        buf_printf(b, "      %s%s%s: ", k.instance, *k.instance ? " " : "", k.name);
        change_format(b, manifest_config(m, k.name), node_get_text(op->was, value->key),
                      value->kind == NODE_KIND_NULL ? NULL : value->text);
        buf_putc(b, '\n');
    }
}

/* What follows from another change. A user or a role that somebody deleted does not. */
static bool is_bookkeeping(const struct op *op)
{
    bool mends = op->cause && (op->kind == OP_KIND_USER_ENSURE || op->kind == OP_KIND_ROLE_ENSURE);

    return op_has(op->kind, OP_TRAIT_DETAIL) && !mends;
}

size_t plan_print(struct buf *b, const struct plan *p, bool verbose)
{
    size_t shown = 0;

    for (size_t i = 0; i < p->count; i++) {
        const struct op *op = &p->ops[i];

        if (!verbose && (is_bookkeeping(op) || follows_create(p, op)))
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
    for (size_t i = 0; i < p->taken_back.count; i++)
        buf_printf(b, "  ! %s\n", p->taken_back.items[i]);
    for (size_t i = 0; i < p->notes.count; i++)
        buf_printf(b, "  ! %s\n", p->notes.items[i]);
    for (size_t i = 0; i < p->strays.count; i++)
        buf_printf(b, "  ! %s\n", p->strays.items[i]);
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
    for (size_t i = 0; i < p->strays.count; i++)
        node_add_text(list, p->strays.items[i]);
    list = node_set(root, "taken_back", node_new_list());
    for (size_t i = 0; i < p->taken_back.count; i++)
        node_add_text(list, p->taken_back.items[i]);
    return root;
}

/* SPDX-License-Identifier: MIT */
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static const struct {
    char sign;
    const char *noun, *verb;
    enum op_side side;
    unsigned traits;
} KINDS[] = {
#define DETAIL OP_TRAIT_DETAIL
#define MAKES OP_TRAIT_MAKES
#define ADDS OP_TRAIT_ADDS
#define OP(kind, sign, noun, verb, side, run, traits)                                              \
    [OP_KIND_##kind] = {sign, noun, verb, OP_SIDE_##side, traits},
#include "plan/ops.def"
#undef OP
};

const char *op_noun(enum op_kind kind)
{
    return KINDS[kind].noun;
}

const char *op_verb(enum op_kind kind)
{
    return KINDS[kind].verb;
}

char op_sign(enum op_kind kind)
{
    return KINDS[kind].sign;
}

char *op_title(const struct op *op)
{
    return mem_printf("%s %s %s", op_verb(op->kind), op_noun(op->kind), op->target);
}

bool op_is_wait(enum op_kind kind)
{
    return KINDS[kind].sign == '.';
}

bool op_has(enum op_kind kind, enum op_trait trait)
{
    return KINDS[kind].traits & trait;
}

enum op_side op_side(enum op_kind kind)
{
    return KINDS[kind].side;
}

long plan_add(struct plan *p, enum op_kind kind, const char *target, char *cause)
{
    struct op *op;

    /* Doubling at powers of two: no capacity to keep. */
    if ((p->count & (p->count - 1)) == 0)
        p->ops = mem_grow(p->ops, p->count ? p->count * 2 : 1, sizeof(*p->ops));
    op = &p->ops[p->count];
    *op = (struct op){.kind = kind, .target = mem_strdup(target), .cause = cause};
    return (long)p->count++;
}

void plan_after(struct plan *p, long op, long dep)
{
    struct op *o;

    if (op < 0 || dep < 0 || op == dep)
        return;
    o = &p->ops[op];
    for (size_t i = 0; i < o->dep_count; i++)
        if (o->deps[i] == (size_t)dep)
            return;
    o->deps = mem_grow(o->deps, o->dep_count + 1, sizeof(*o->deps));
    o->deps[o->dep_count++] = (size_t)dep;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++) {
        struct op *op = &p->ops[i];

        free(op->target);
        free(op->cause);
        free(op->deps);
        free(op->object);
        free(op->rename_to);
        node_free(op->writes);
        node_free(op->was);
        node_free(op->before);
    }
    free(p->ops);
    free(p->env);
    strv_clear(&p->notes);
    strv_clear(&p->strays);
    strv_clear(&p->taken_back);
    strv_clear(&p->unread);
    free(p);
}

void plan_cleanup(struct plan **p)
{
    plan_free(*p);
}

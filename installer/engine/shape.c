/* SPDX-License-Identifier: MIT */
#include "engine/shape.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

enum { WHERE_MAX = 256 };

/* Sums of a few of them fit too. */
static const int64_t NUMBER_MOST = INT64_C(1) << 53;

const struct shape shape_text = {.kind = NODE_KIND_STRING};

static const struct shape id_members[] = {
    {.name = "Id", .kind = NODE_KIND_STRING, .need = SHAPE_MUST},
    {0},
};
const struct shape shape_created = {
    .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = id_members};

static const char *kind_text(enum node_kind kind)
{
    static const char *const texts[] = {
        [NODE_KIND_NULL] = "null",       [NODE_KIND_BOOL] = "true or false",
        [NODE_KIND_NUMBER] = "a number", [NODE_KIND_STRING] = "a string",
        [NODE_KIND_LIST] = "a list",     [NODE_KIND_MAP] = "a map",
    };

    return texts[kind];
}

static int wrong_kind(const struct node *n, const struct shape *s, const char *where,
                      const char *what, struct err *e)
{
    const char *as = *where ? " as " : "";

    if (n->kind == s->kind)
        return err_set(e, ERR_REMOTE, "Docker answered %s with an empty string%s%s", what, as,
                       where);
    return err_set(e, ERR_REMOTE, "Docker answered %s with %s%s%s, not %s", what,
                   kind_text(n->kind), as, where, kind_text(s->kind));
}

static int check_number(const struct node *n, const char *where, const char *what, struct err *e)
{
    int64_t value;

    if (node_to_int(n, &value) && value >= -NUMBER_MOST && value <= NUMBER_MOST)
        return 0;
    return err_set(e, ERR_REMOTE, "Docker answered %s with %s as %s, which is not a count", what,
                   n->text, *where ? where : "the whole");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whoever acted on a thing that is listed twice would take it for two. */
static int check_unique(const struct node *list, const char *name, const char *what, struct err *e)
{
    auto_free const char **texts = mem_array(list->count + 1, sizeof(*texts));

    for (size_t i = 0; i < list->count; i++)
        texts[i] = node_get_text(list->items[i], name);
    qsort(texts, list->count, sizeof(*texts), by_text);
    for (size_t i = 1; i < list->count; i++)
        if (strcmp(texts[i - 1], texts[i]) == 0)
            return err_set(e, ERR_REMOTE, "Docker answered %s with the %s %s twice", what, name,
                           texts[i]);
    return 0;
}

/* Recursion follows the shape, whose depth is fixed. */
static int check(const struct node *n, const struct shape *s, const char *where, const char *what,
                 struct err *e)
{
    if (!n || n->kind == NODE_KIND_NULL) {
        if (s->need == SHAPE_MAY || (n && s->need == SHAPE_OR_NULL))
            return 0;
        if (*where)
            return err_set(e, ERR_REMOTE, "Docker answered %s without %s", what, where);
        return err_set(e, ERR_REMOTE, "Docker answered %s with nothing", what);
    }
    if (n->kind != s->kind ||
        (s->kind == NODE_KIND_STRING && s->need == SHAPE_MUST && n->text[0] == '\0'))
        return wrong_kind(n, s, where, what, e);
    if (n->kind == NODE_KIND_NUMBER && check_number(n, where, what, e) < 0)
        return -1;
    for (const struct shape *m = s->members; m && m->name; m++) {
        auto_free char *below =
            mem_printf("%.*s%s%s", WHERE_MAX, where, *where ? "." : "", m->name);

        if (check(node_get(n, m->name), m, below, what, e) < 0)
            return -1;
    }
    for (size_t i = 0; s->each && i < n->count; i++) {
        auto_free char *below = mem_printf("%.*s[%zu]", WHERE_MAX, where, i);

        if (check(n->items[i], s->each, below, what, e) < 0)
            return -1;
    }
    return s->unique ? check_unique(n, s->unique, what, e) : 0;
}

int shape_check(const struct node *answer, const struct shape *s, const char *what, struct err *e)
{
    return check(answer, s, "", what, e);
}

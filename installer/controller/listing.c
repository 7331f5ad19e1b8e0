/* SPDX-License-Identifier: MIT */
#include "controller/listing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/strv.h"

/* ---- filter ---- */

static bool contains(const struct node *n, const char *text)
{
    const struct node *child;

    if (n->text && strcasestr(n->text, text))
        return true;
    node_for_each (child, n) {
        if (contains(child, text))
            return true;
    }
    return false;
}

static bool is_wanted(const struct node *row, const struct query *q, const struct strv *filters,
                      const struct strv *own)
{
    for (size_t i = 0; i < q->param_count; i++) {
        const char *name = q->params[i].name, *value = q->params[i].value;

        if (strcmp(name, "q") == 0 && !contains(row, value))
            return false;
        if (strv_has(filters, name) && !strv_has(own, name) && !node_text_is(row, name, value))
            return false;
    }
    return true;
}

/* ---- sort ---- */

struct order {
    const char *field;
    int sign;
};

static int compare(const void *a, const void *b, void *arg)
{
    const struct order *o = arg;
    const struct node *x = node_get(*(struct node *const *)a, o->field);
    const struct node *y = node_get(*(struct node *const *)b, o->field);
    int64_t n, m;

    if (!x || !y || !x->text || !y->text) /* rows without it last, either way */
        return (!x || !x->text) - (!y || !y->text);
    if (node_to_int(x, &n) && node_to_int(y, &m))
        return o->sign * ((n > m) - (n < m));
    return o->sign * strverscmp(x->text, y->text);
}

/* glibc's qsort_r is a merge sort for lists of this size, so that equal rows keep their order. */
static int sort(struct node *items, const struct query *q, struct err *e)
{
    const char *by = query_get(q, "sort");
    struct order o = {.field = by, .sign = 1};

    if (!by || items->count == 0)
        return 0;
    if (*by == '-') {
        o.field++;
        o.sign = -1;
    }
    for (size_t i = 0; i < items->count; i++)
        if (node_get_text(items->items[i], o.field)) {
            qsort_r(items->items, items->count, sizeof(struct node *), compare, &o);
            return 0;
        }
    return err_set(e, ERR_USAGE, "there is no field %.60s to sort by", o.field);
}

/* ---- all of it ---- */

int listing_make(struct node **out, const struct node *rows, const struct query *q,
                 const char *filters, struct err *e)
{
    auto_node struct node *list = node_new_map(), *items = node_new_list();
    struct node *page;
    auto_strv struct strv words = {0}, own = strv_of("q", "sort", "limit", "offset");
    const struct node *row;
    long limit, offset;

    strv_split(&words, filters, " ");
    if (query_number(&limit, q, "limit", (const long[3]){1, LISTING_LIMIT, LISTING_LIMIT}, e) < 0 ||
        query_number(&offset, q, "offset", (const long[3]){0, 100000000, 0}, e) < 0)
        return -1;
    node_for_each (row, rows) {
        if (is_wanted(row, q, &words, &own))
            node_add(items, node_copy(row));
    }
    if (sort(items, q, e) < 0)
        return -1;
    page = node_set(list, "items", node_new_list());
    for (size_t i = (size_t)offset; i < items->count && page->count < (size_t)limit; i++)
        node_add(page, node_copy(items->items[i]));
    node_set_int(list, "total", (int64_t)items->count);
    node_set_int(list, "limit", limit);
    node_set_int(list, "offset", offset);
    *out = steal(list);
    return 0;
}

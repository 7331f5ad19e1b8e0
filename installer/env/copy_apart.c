/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "env/copy_item.h"

struct place {
    char *name; /* what it becomes there, owned */
    const char *to, *instance;
    const struct copy_item *item;
};

/* 0: one would be written over the other. */
static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int r = strcmp(x->name, y->name);

    if (r == 0)
        r = strcmp(x->to, y->to);
    return r == 0 ? strcmp(x->instance, y->instance) : r;
}

/* In the order of places, and those of one place in the order in which they were named. */
static int compare_order(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int r = compare_places(x, y);

    return r == 0 ? (x->item > y->item) - (x->item < y->item) : r;
}

int copy_check_apart(const struct copy_item *items, size_t count, struct err *e)
{
    struct place *places = mem_array(count, sizeof(*places));
    int r = 0;

    for (size_t i = 0; i < count; i++) {
        const struct copy_item *it = &items[i];

        places[i] = (struct place){.name = copy_end_name(it->from),
                                   .to = it->to,
                                   .instance = it->up ? it->result->instance : "",
                                   .item = it};
    }
    if (count > 1)
        qsort(places, count, sizeof(*places), compare_order);
    for (size_t i = 1; r == 0 && i < count; i++) {
        const struct place *one = &places[i - 1], *other = &places[i];

        if (*one->name && compare_places(one, other) == 0)
            r = err_set(e, ERR_USAGE,
                        "%s and %s would both become %s in %s: copy one of them elsewhere",
                        one->item->from, other->item->from, one->name, one->to);
    }
    for (size_t i = 0; i < count; i++)
        free(places[i].name);
    free(places);
    return r;
}

/* SPDX-License-Identifier: MIT */
#include "controller/kept.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

struct kept *kept_find(struct kept *list, const char *instance)
{
    for (struct kept *one = list; one; one = one->next)
        if (strcmp(one->instance, instance) == 0)
            return one;
    return NULL;
}

struct kept *kept_remember(struct kept **list, const char *instance)
{
    struct kept *one = kept_find(*list, instance);

    if (one)
        return one;
    one = mem_alloc(sizeof(*one));
    one->instance = mem_strdup(instance);
    one->next = *list;
    *list = one;
    return one;
}

static void kept_free(struct kept *one)
{
    free(one->instance);
    free(one->cause);
    strv_clear(&one->lines);
    free(one);
}

void kept_forget(struct kept **list, const struct node *rows)
{
    while (*list) {
        struct kept *one = *list;
        const struct node *row;
        bool there = false;

        node_for_each (row, rows) {
            there = there || node_text_is(row, "instance", one->instance);
        }
        if (there) {
            list = &one->next;
            continue;
        }
        *list = one->next;
        kept_free(one);
    }
}

void kept_settle(struct kept *one, const struct keep_seen *s)
{
    if (!s->dead)
        one->lost = one->failed = false;
    if (!s->ok || s->drifted)
        return;
    if (one->record.state == KEEP_STATE_LOOP)
        return;
    free(steal(one->cause));
    one->in_loop = false;
    strv_clear(&one->lines);
}

bool kept_waits(const struct kept *list)
{
    for (; list; list = list->next)
        if (list->record.unwell || list->record.state != KEEP_STATE_FINE)
            return true;
    return false;
}

void kept_decorate(struct node *row, const struct kept *one)
{
    const char *state = one->lost ? "not mended" : keep_state_name(one->record.state);
    struct node *n = node_get(row, "keeper"), *lines;
    char next[32];

    if (!*state || node_get_bool(n, "stopped", false))
        return;
    if (!n)
        n = node_set(row, "keeper", node_new_map());
    if (!node_get_bool(n, "paused", false)) {
        node_set_text(n, "state", state);
        clock_format(next, one->next_wall);
        if (one->next_wall > clock_wall_ms())
            node_set_text(n, "next", next);
    }
    node_set_int(n, "tries", one->record.tries);
    if (one->cause)
        node_set_text(n, "cause", one->cause);
    if (one->lines.count == 0)
        return;
    lines = node_set(n, "lines", node_new_list());
    for (size_t i = 0; i < one->lines.count; i++)
        node_add_text(lines, one->lines.items[i]);
}

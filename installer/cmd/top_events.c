/* SPDX-License-Identifier: MIT */
#include "cmd/top_events.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "plan/object.h"

enum { TIME_AT = 11, TIME_LEN = 8 }; /* in what clock_format writes */

static void add_line(struct strv *lines, const char *instance, const char *what)
{
    char now[32];

    clock_format(now, clock_wall_ms());
    strv_addf(lines, "%.*sZ %s: %s", TIME_LEN, now + TIME_AT, instance, what);
    while (lines->count > TOP_EVENTS_MAX) {
        free(lines->items[0]);
        memmove(lines->items, lines->items + 1, lines->count * sizeof(*lines->items));
        lines->count--;
    }
}

/* A kill and a stop are told by the end that follows. */
static char *sentence(const char *action, const struct node *attributes)
{
    static const struct {
        const char *action, *sentence;
    } table[] = {
        {"create", "container created"},
        {"start", "started"},
        {"oom", "out of memory"},
        {"destroy", "container removed"},
        {"pause", "paused"},
        {"unpause", "goes on after a pause"},
        {"rename", "container renamed"},
    };
    static const char health[] = "health_status: ";

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (strcmp(action, table[i].action) == 0)
            return mem_strdup(table[i].sentence);
    if (strcmp(action, "die") == 0)
        return mem_printf("ended with status %s", node_get_text(attributes, "exitCode")
                                                      ? node_get_text(attributes, "exitCode")
                                                      : "?");
    if (strncmp(action, health, strlen(health)) == 0)
        return mem_printf("its container is %s", action + strlen(health));
    return NULL;
}

bool top_events_add(struct strv *lines, const struct node *event)
{
    const struct node *attributes = node_find(event, "Actor.Attributes");
    const char *action = node_get_text(event, "Action");
    const char *instance = node_get_text(attributes, LABEL_INSTANCE);
    auto_free char *what = action ? sentence(action, attributes) : NULL;

    if (!what || !instance)
        return false;
    add_line(lines, instance, what);
    return true;
}

static const struct node *find(const struct node *status, const char *instance)
{
    const struct node *row;

    node_for_each (row, node_get(status, "instances")) {
        if (node_text_is(row, "instance", instance))
            return row;
    }
    return NULL;
}

void top_events_compare(struct strv *lines, const struct node *before, const struct node *after)
{
    const struct node *row;

    node_for_each (row, node_get(before ? after : NULL, "instances")) {
        const char *name = node_get_text(row, "instance");
        const struct node *old = find(before, name);
        const char *keys[] = {"state", "health"};

        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
            const char *was = node_get_text(old, keys[i]), *is = node_get_text(row, keys[i]);
            auto_free char *what = NULL;

            if (!is || (was && strcmp(was, is) == 0))
                continue;
            what = was ? mem_printf("%s, was %s", is, was) : mem_strdup(is);
            add_line(lines, name, what);
        }
    }
    node_for_each (row, node_get(before, "instances")) {
        if (!find(after, node_get_text(row, "instance")))
            add_line(lines, node_get_text(row, "instance"), "gone");
    }
}

/* SPDX-License-Identifier: MIT */
#include "env/usage.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"

/* Docker takes some milliseconds for each container, more where one of them is stuck. */
enum { LOOKERS = 4, NS_PER_MILLICORE_S = 1000 * 1000 };

struct seen {
    char *instance, *id;
    int64_t at_ms;
    bool known;
    struct engine_stats stats;
};

struct usage {
    const struct engine *from;
    struct engine *engines[LOOKERS]; /* one connection each, kept from look to look */
    struct seen *last;               /* in no order */
    size_t last_count;
    struct seen *next; /* of the look under way */
    size_t next_count;
};

struct usage *usage_new(const struct engine *g)
{
    struct usage *u = mem_alloc(sizeof(*u));

    u->from = g;
    return u;
}

static void seen_free(struct seen *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i].instance);
        free(list[i].id);
    }
    free(list);
}

void usage_free(struct usage *u)
{
    if (!u)
        return;
    for (size_t i = 0; i < LOOKERS; i++)
        engine_close(u->engines[i]);
    seen_free(u->last, u->last_count);
    free(u);
}

/* Every LOOKERS-th container. */
static void look(void *arg, size_t number)
{
    struct usage *u = arg;
    struct err e;

    if (!u->engines[number] && engine_clone(&u->engines[number], u->from, &e) < 0) {
        err_drop(&e, "a connection for what instances use");
        return;
    }
    for (size_t i = number; i < u->next_count; i += LOOKERS) {
        struct seen *s = &u->next[i];

        s->known = engine_container_stats(&s->stats, u->engines[number], s->id, &e) == 0;
        s->at_ms = clock_now_ms();
        if (!s->known)
            err_drop(&e, "what an instance uses");
    }
}

int64_t usage_rate(int64_t before, int64_t now, int64_t span_ms)
{
    if (before < 0 || now < before || span_ms <= 0)
        return -1;
    return (int64_t)((double)(now - before) * 1000.0 / (double)span_ms);
}

static void put(struct node *n, const char *key, int64_t value)
{
    if (value >= 0)
        node_set_int(n, key, value);
}

static const struct seen *find_last(const struct usage *u, const struct seen *now)
{
    for (size_t i = 0; i < u->last_count; i++)
        if (strcmp(u->last[i].id, now->id) == 0 && u->last[i].known)
            return &u->last[i];
    return NULL;
}

static struct node *row_of(const struct usage *u, const struct seen *now)
{
    const struct seen *before = find_last(u, now);
    const struct engine_stats *s = &now->stats;
    struct node *n = node_new_map();
    int64_t span, cpu;

    put(n, "memory", s->memory);
    put(n, "memory_limit", s->memory_limit);
    put(n, "processes", s->processes);
    if (!before)
        return n;
    span = now->at_ms - before->at_ms;
    cpu = usage_rate(before->stats.cpu_ns, s->cpu_ns, span);
    put(n, "millicores", cpu < 0 ? -1 : cpu / NS_PER_MILLICORE_S);
    put(n, "block_read", usage_rate(before->stats.block_read, s->block_read, span));
    put(n, "block_written", usage_rate(before->stats.block_written, s->block_written, span));
    put(n, "net_received", usage_rate(before->stats.net_received, s->net_received, span));
    put(n, "net_sent", usage_rate(before->stats.net_sent, s->net_sent, span));
    return n;
}

struct node *usage_look(struct usage *u, const struct node *rows)
{
    struct node *out = node_new_map();
    const struct node *row;

    u->next = mem_array(rows ? rows->count : 0, sizeof(*u->next));
    u->next_count = 0;
    node_for_each (row, rows) {
        if (!node_text_is(row, "container", "running") || !node_get_text(row, "id"))
            continue;
        u->next[u->next_count++] =
            (struct seen){.instance = mem_strdup(node_get_text(row, "instance")),
                          .id = mem_strdup(node_get_text(row, "id"))};
    }
    pool_run(u->next_count < LOOKERS ? u->next_count : LOOKERS, LOOKERS, look, u);
    for (size_t i = 0; i < u->next_count; i++)
        if (u->next[i].known)
            node_set(out, u->next[i].instance, row_of(u, &u->next[i]));
    seen_free(u->last, u->last_count);
    u->last = steal(u->next);
    u->last_count = u->next_count;
    return out;
}

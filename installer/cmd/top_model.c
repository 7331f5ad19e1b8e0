/* SPDX-License-Identifier: MIT */
#include "cmd/top_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

const char *top_sort_name(enum top_sort sort)
{
    static const char *const names[TOP_SORTS] = {
        [TOP_BY_NAME] = "name",     [TOP_BY_CPU] = "cpu",         [TOP_BY_MEMORY] = "memory",
        [TOP_BY_NET] = "network",   [TOP_BY_BLOCK] = "block I/O", [TOP_BY_RESTARTS] = "restarts",
        [TOP_BY_HEALTH] = "health",
    };

    return names[sort];
}

static int64_t sum_of(const struct node *n, const char *one, const char *other)
{
    int64_t a = node_get_int(n, one, -1), b = node_get_int(n, other, -1);

    return a < 0 || b < 0 ? -1 : a + b;
}

/* What most of comes first. */
static int64_t weight(const struct top_row *row, enum top_sort sort)
{
    switch (sort) {
    case TOP_BY_CPU:
        return node_get_int(row->usage, "millicores", -1);
    case TOP_BY_MEMORY:
        return node_get_int(row->usage, "memory", -1);
    case TOP_BY_NET:
        return sum_of(row->usage, "net_received", "net_sent");
    case TOP_BY_BLOCK:
        return sum_of(row->usage, "block_read", "block_written");
    case TOP_BY_RESTARTS:
        return node_get_int(row->status, "restarts", -1);
    case TOP_BY_HEALTH:
        return !node_get_bool(row->status, "ok", false);
    case TOP_BY_NAME:
    case TOP_SORTS:
        break;
    }
    return 0;
}

/* A few dozen rows that stand nearly right; of equal ones the order by name stays. */
static void sort_rows(struct top_model *m)
{
    for (size_t i = 1; i < m->count; i++) {
        struct top_row row = m->rows[i];
        int64_t w = weight(&row, m->sort);
        size_t at = i;

        for (; at > 0 && weight(&m->rows[at - 1], m->sort) < w; at--)
            m->rows[at] = m->rows[at - 1];
        m->rows[at] = row;
    }
}

static bool has(const struct node *row, const char *key, const char *word)
{
    const char *text = node_get_text(row, key);

    return text && strcasestr(text, word);
}

static bool is_shown(const struct top_model *m, const struct node *row)
{
    if (m->only_unhealthy && node_get_bool(row, "ok", false))
        return false;
    return !m->filter[0] || has(row, "instance", m->filter) || has(row, "state", m->filter) ||
           has(row, "health", m->filter) || has(row, "address", m->filter);
}

/* Where it was, when the one that was chosen is not shown any more. */
static void choose_again(struct top_model *m)
{
    for (size_t i = 0; m->name && i < m->count; i++) {
        if (node_text_is(m->rows[i].status, "instance", m->name)) {
            m->chosen = i;
            return;
        }
    }
    top_model_move(m, 0);
}

void top_model_fill(struct top_model *m, const struct node *status, const struct node *usage)
{
    const struct node *list = node_get(status, "instances"), *row;

    free(m->rows);
    m->rows = mem_array(list ? list->count : 0, sizeof(*m->rows));
    m->count = 0;
    node_for_each (row, list) {
        if (is_shown(m, row))
            m->rows[m->count++] = (struct top_row){
                .status = row, .usage = node_get(usage, node_get_text(row, "instance"))};
    }
    sort_rows(m);
    choose_again(m);
}

void top_model_clear(struct top_model *m)
{
    free(m->rows);
    free(m->name);
    *m = (struct top_model){0};
}

void top_model_move(struct top_model *m, long by)
{
    long last = (long)m->count - 1, to = (long)m->chosen;

    to = by > last ? last : by < -last ? 0 : to + by;
    to = to > last ? last : to;
    m->chosen = to > 0 ? (size_t)to : 0;
    if (m->count == 0) /* what was chosen is chosen again when it is shown again */
        return;
    free(m->name);
    m->name = mem_strdup(node_get_text(m->rows[m->chosen].status, "instance"));
}

void top_model_scroll(struct top_model *m, size_t height)
{
    if (m->chosen < m->first)
        m->first = m->chosen;
    if (height > 0 && m->chosen >= m->first + height)
        m->first = m->chosen - height + 1;
    if (m->count <= height)
        m->first = 0;
    else if (m->first + height > m->count)
        m->first = m->count - height;
}

const struct top_row *top_model_row(const struct top_model *m)
{
    return m->count > 0 ? &m->rows[m->chosen] : NULL;
}

void top_model_type(struct top_model *m, const char *c, size_t len)
{
    size_t used = strlen(m->filter);

    if (len == 0) {
        while (used > 0 && utf8_is_inside(m->filter[--used]))
            ;
        m->filter[used] = '\0';
    } else if (used + len < sizeof(m->filter)) {
        memcpy(m->filter + used, c, len);
        m->filter[used + len] = '\0';
    }
}

/* SPDX-License-Identifier: MIT */
#include "cmd/top_table.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/top_text.h"

enum { CELL_MAX = 64, NAME_MIN = 12, NAME_MAX = 40 };

struct cell {
    char text[CELL_MAX];
    enum out_color color;
};

struct column {
    const char *head;
    size_t width; /* 0: as the names need it */
    int rank;     /* where there is no room the highest go first */
    bool right;
    void (*fill)(struct cell *c, const struct top_row *row);
};

static void put(struct cell *c, const char *text)
{
    snprintf(c->text, sizeof(c->text), "%s", text ? text : "-");
}

static void put_bytes(struct cell *c, const struct top_row *row, const char *key)
{
    char text[16];

    top_bytes(text, node_get_int(row->usage, key, -1));
    put(c, text);
}

static void fill_instance(struct cell *c, const struct top_row *row)
{
    put(c, node_get_text(row->status, "instance"));
}

static void fill_state(struct cell *c, const struct top_row *row)
{
    const char *state = node_get_text(row->status, "state");
    bool moves = strcmp(state, "starting") == 0 || strcmp(state, "stopping") == 0;

    put(c, state);
    c->color = node_get_bool(row->status, "ok", false) ? OUT_GOOD : moves ? OUT_WARN : OUT_BAD;
}

static void fill_health(struct cell *c, const struct top_row *row)
{
    const char *health = node_get_text(row->status, "health");

    put(c, health);
    c->color = strcmp(health, "healthy") == 0     ? OUT_GOOD
               : strcmp(health, "unhealthy") == 0 ? OUT_BAD
                                                  : OUT_DIM;
}

static void fill_cpu(struct cell *c, const struct top_row *row)
{
    char text[16];

    top_percent(text, node_get_int(row->usage, "millicores", -1));
    put(c, text);
}

static void fill_memory(struct cell *c, const struct top_row *row)
{
    put_bytes(c, row, "memory");
}

static void fill_restarts(struct cell *c, const struct top_row *row)
{
    put(c, node_get_text(row->status, "restarts"));
    c->color = node_get_int(row->status, "restarts", 0) ? OUT_WARN : OUT_PLAIN;
}

static void fill_received(struct cell *c, const struct top_row *row)
{
    put_bytes(c, row, "net_received");
}

static void fill_sent(struct cell *c, const struct top_row *row)
{
    put_bytes(c, row, "net_sent");
}

static void fill_read(struct cell *c, const struct top_row *row)
{
    put_bytes(c, row, "block_read");
}

static void fill_written(struct cell *c, const struct top_row *row)
{
    put_bytes(c, row, "block_written");
}

static void fill_since(struct cell *c, const struct top_row *row)
{
    const char *text = node_get_text(row->status, "since");
    char span[32];
    int64_t since;

    if (!text || !clock_parse(&since, text)) {
        put(c, NULL);
        return;
    }
    clock_format_span(span, clock_wall_ms() - since);
    put(c, span);
}

static void fill_address(struct cell *c, const struct top_row *row)
{
    put(c, node_get_text(row->status, "address"));
}

static const struct column columns[] = {
    {"INSTANCE", 0, 0, false, fill_instance}, {"STATE", 8, 0, false, fill_state},
    {"HEALTH", 9, 3, false, fill_health},     {"CPU%", 5, 1, true, fill_cpu},
    {"MEM", 5, 2, true, fill_memory},         {"RST", 3, 4, true, fill_restarts},
    {"IN/s", 5, 5, true, fill_received},      {"OUT/s", 5, 5, true, fill_sent},
    {"RD/s", 5, 6, true, fill_read},          {"WR/s", 5, 6, true, fill_written},
    {"SINCE", 7, 7, true, fill_since},        {"ADDRESS", 15, 8, false, fill_address},
};
enum { RANKS = 9 };

static size_t name_width(const struct top_model *m)
{
    size_t widest = NAME_MIN;

    for (size_t i = 0; i < m->count; i++) {
        size_t width = out_width(node_get_text(m->rows[i].status, "instance"));

        widest = width > widest ? width : widest;
    }
    return widest < NAME_MAX ? widest : NAME_MAX;
}

static size_t width_of(size_t i, size_t names)
{
    return columns[i].width ? columns[i].width : names;
}

/* The columns up to which rank fit. */
static int rank_of(size_t room, size_t names)
{
    for (int rank = RANKS - 1; rank > 0; rank--) {
        size_t width = 0;

        for (size_t i = 0; i < ARRAY_LEN(columns); i++)
            if (columns[i].rank <= rank)
                width += width_of(i, names) + 1;
        if (width <= room + 1) /* no blank behind the last one */
            return rank;
    }
    return 0;
}

void top_table_draw(struct top_screen *s, const struct top_model *m, const struct top_area *area)
{
    size_t names = name_width(m), column = 0;
    int rank = rank_of(area->columns, names);

    for (size_t i = 0; i < ARRAY_LEN(columns) && area->lines > 0; i++) {
        struct top_at at = {area->line, column, width_of(i, names),
                            OUT_BOLD,   false,  columns[i].right};

        if (columns[i].rank > rank)
            continue;
        top_screen_put(s, &at, columns[i].head);
        for (size_t row = m->first; row < m->count && row - m->first + 1 < area->lines; row++) {
            struct cell c = {.color = OUT_PLAIN};

            columns[i].fill(&c, &m->rows[row]);
            at.line = area->line + 1 + row - m->first;
            at.color = c.color;
            at.reverse = row == m->chosen;
            top_screen_put(s, &at, c.text);
        }
        column += at.width + 1;
    }
}

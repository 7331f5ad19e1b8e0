/* SPDX-License-Identifier: MIT */
#include "cmd/top_panel.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "env/volumes.h"

enum { NAME_COLUMNS = 20, SIZE_COLUMNS = 5, STATE_COLUMNS = 9, RATE_COLUMNS = 5 };

static void put_line(struct top_screen *s, const struct top_area *area, size_t line,
                     enum out_color color, const char *text)
{
    const struct top_at at = {.line = area->line + line, .width = area->columns, .color = color};

    if (line < area->lines)
        top_screen_put(s, &at, text);
}

/* The sentence that `status` prints below its table. */
static char *reason_of(const struct top_view *v)
{
    const struct top_row *row = top_model_row(&v->model);
    const struct node *config = node_get(row ? row->status : NULL, "config");
    const char *reason, *error = node_get_text(config, "error");
    const struct node *pending = node_get(config, "pending");

    if (v->news.error)
        return mem_strdup(v->news.error);
    if (!row)
        return NULL;
    reason = node_get_text(row->status, "reason");
    if (reason && !node_get_bool(row->status, "ok", false))
        return mem_printf("%s: %s", v->model.name, reason);
    if (error && *error)
        return mem_printf("%s: its configuration: %s", v->model.name, error);
    if (pending && pending->count)
        return mem_printf("%s: %zu keys wait for a restart", v->model.name, pending->count);
    return NULL;
}

/* ---- events ---- */

/* The newest is the last one. */
static void draw_events(struct top_screen *s, const struct top_view *v, const struct top_area *area)
{
    const struct strv *events = &v->news.events;
    size_t height = area->lines - 1;
    size_t first = events->count > height ? events->count - height : 0;

    put_line(s, area, 0, OUT_BOLD, "EVENTS");
    if (events->count == 0)
        put_line(s, area, 1, OUT_DIM, "none since it began");
    for (size_t i = first; i < events->count; i++)
        put_line(s, area, 1 + i - first, OUT_PLAIN, events->items[i]);
}

/* ---- volumes ---- */

/* "-" for nobody; of several the first one, and "+" for the others. */
static char *drivers_of(const struct node *volume)
{
    const struct node *attached = node_get(volume, "attached");

    if (!attached || attached->count == 0)
        return mem_strdup("-");
    return mem_printf("%s%s", node_get_text(attached->items[0], "instance"),
                      attached->count > 1 ? " +" : "");
}

static void draw_volume(struct top_screen *s, const struct top_view *v, size_t line,
                        const struct node *volume)
{
    const struct node *attached = node_get(volume, "attached");
    const struct node *usage =
        attached && attached->count
            ? node_get(v->news.usage, node_get_text(attached->items[0], "instance"))
            : NULL;
    auto_free char *drivers = drivers_of(volume);
    struct top_at at = {.line = line, .width = NAME_COLUMNS};
    const char *keys[] = {"net_received", "net_sent"};
    char text[16];

    top_screen_put(s, &at, node_get_text(volume, "name"));
    at = (struct top_at){line, at.column + at.width + 1, SIZE_COLUMNS, OUT_PLAIN, false, true};
    top_bytes(text, node_get_int(volume, "size", -1));
    top_screen_put(s, &at, text);
    at = (struct top_at){.line = line, .column = at.column + at.width + 1, .width = STATE_COLUMNS};
    top_screen_put(s, &at, env_volume_state(volume));
    at.column += at.width + 1;
    at.width = NAME_COLUMNS;
    top_screen_put(s, &at, drivers);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        at = (struct top_at){line, at.column + at.width + 1, RATE_COLUMNS, OUT_PLAIN, false, true};
        top_bytes(text, node_get_int(usage, keys[i], -1));
        top_screen_put(s, &at, text);
    }
}

static void draw_volumes(struct top_screen *s, const struct top_view *v,
                         const struct top_area *area)
{
    auto_free char *head =
        mem_printf("%-*s %*s %-*s %-*s %*s %*s  of driver", NAME_COLUMNS, "VOLUME", SIZE_COLUMNS,
                   "SIZE", STATE_COLUMNS, "STATE", NAME_COLUMNS, "DRIVER", RATE_COLUMNS, "IN/s",
                   RATE_COLUMNS, "OUT/s");
    const struct node *list = v->news.volumes;

    put_line(s, area, 0, OUT_BOLD, head);
    if (v->news.volumes_error)
        put_line(s, area, 1, OUT_BAD, v->news.volumes_error);
    else if (!list)
        put_line(s, area, 1, OUT_DIM, "looking ...");
    else if (list->count == 0)
        put_line(s, area, 1, OUT_DIM, "there are no volumes");
    for (size_t i = 0; list && i < list->count && i + 1 < area->lines; i++)
        draw_volume(s, v, area->line + 1 + i, list->items[i]);
}

void top_panel_draw(struct top_screen *s, const struct top_view *v, const struct top_area *area)
{
    auto_free char *reason = reason_of(v);
    struct top_area rest = *area;

    if (area->lines == 0)
        return;
    put_line(s, area, 0, OUT_BAD, reason ? reason : "");
    rest.line++;
    rest.lines--;
    if (rest.lines == 0)
        return;
    if (v->volumes)
        draw_volumes(s, v, &rest);
    else
        draw_events(s, v, &rest);
}

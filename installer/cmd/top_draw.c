/* SPDX-License-Identifier: MIT */
#include "cmd/top_draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/top_panel.h"
#include "cmd/top_table.h"

/* The status is read each 3 s: what is older than this is out of date. */
enum { STALE_MS = 10 * 1000, HEAD_LINES = 1, FOOT_LINES = 1, PANEL_MIN_LINES = 14 };

struct layout {
    size_t lines, columns;
    size_t table, panel; /* lines of each, the table's with its heads; panel 0: there is none */
};

static struct layout layout_of(const struct top_screen *s, const struct top_view *v)
{
    struct layout l = {0};
    size_t rest, rows = v->model.count ? v->model.count : 1;

    top_screen_size(s, &l.lines, &l.columns);
    rest = l.lines > HEAD_LINES + FOOT_LINES ? l.lines - HEAD_LINES - FOOT_LINES : 0;
    if (l.lines >= PANEL_MIN_LINES)
        l.panel = rest / 3;
    /* What the table does not need, the panel has. */
    if (l.panel && rest - l.panel > rows + 1)
        l.panel = rest - rows - 1;
    l.table = rest - l.panel;
    return l;
}

size_t top_draw_page(const struct top_screen *s, const struct top_view *v)
{
    struct layout l = layout_of(s, v);
    size_t page = v->mode == TOP_LOG ? l.lines - 2 : l.table - 1;

    return page > 0 && page < l.lines ? page : 1;
}

/* ---- head and foot ---- */

/* What all of them use together. */
static void put_sums(struct buf *b, const struct node *usage)
{
    int64_t cpu = -1, memory = 0;
    const struct node *n;
    char text[16];

    node_for_each (n, usage) {
        int64_t of_one = node_get_int(n, "millicores", -1);

        memory += node_get_int(n, "memory", 0);
        if (of_one >= 0)
            cpu = (cpu < 0 ? 0 : cpu) + of_one;
    }
    if (!usage || usage->count == 0)
        return;
    top_percent(text, cpu);
    buf_printf(b, "  cpu %s%%", text);
    top_bytes(text, memory);
    buf_printf(b, "  mem %s", text);
}

static void put_state(struct buf *b, const struct node *status)
{
    const struct node *list = node_get(status, "instances"), *etcd = node_get(status, "etcd"), *row;
    size_t bad = 0;

    node_for_each (row, list) {
        bad += !node_get_bool(row, "ok", false);
    }
    buf_puts(b, list->count == 0                          ? "nothing runs"
                : node_get_bool(status, "healthy", false) ? "healthy"
                                                          : "NOT healthy");
    if (bad)
        buf_printf(b, ", %zu of %zu not ready", bad, list->count);
    else
        buf_printf(b, ", %zu instances", list->count);
    if (node_get_bool(etcd, "answers", false))
        buf_printf(b, "  etcd %lld/%lld", (long long)node_get_int(etcd, "answering", 0),
                   (long long)node_get_int(etcd, "members", 0));
    else
        buf_puts(b, "  etcd does not answer");
}

static void draw_head(struct top_screen *s, const struct top_view *v, const struct layout *l)
{
    int64_t age = clock_now_ms() - v->news.read_ms;
    struct top_at at = {.width = l->columns, .reverse = true};
    auto_buf struct buf b = {0};

    buf_init(&b, 4096);
    buf_printf(&b, "%s: ", v->env);
    if (v->news.status && age < STALE_MS && !v->news.error) {
        put_state(&b, v->news.status);
        at.color = node_get_bool(v->news.status, "healthy", false) ? OUT_PLAIN : OUT_BAD;
    } else if (v->news.status) {
        buf_printf(&b, "OUT OF DATE, %lld s old", (long long)(age / 1000));
        at.color = OUT_BAD;
    } else {
        buf_puts(&b, v->news.error ? v->news.error : "looking ...");
        at.color = v->news.error ? OUT_BAD : OUT_PLAIN;
    }
    if (v->model.sort != TOP_BY_NAME)
        buf_printf(&b, "  by %s", top_sort_name(v->model.sort));
    if (v->model.only_unhealthy)
        buf_puts(&b, "  only unhealthy");
    if (v->model.filter[0])
        buf_printf(&b, "  /%s", v->model.filter);
    if (v->news.status)
        put_sums(&b, v->news.usage);
    top_screen_put(s, &at, buf_str(&b));
}

static void draw_foot(struct top_screen *s, const struct top_view *v, const struct layout *l)
{
    static const char keys[] =
        "q end  ? help  l log  r restart  s shell  / find  f unhealthy  o sort  v volumes";
    struct top_at at = {.line = l->lines - 1, .width = l->columns, .color = OUT_DIM};
    auto_free char *text = NULL;

    if (v->mode == TOP_FILTER) {
        at.color = OUT_BOLD;
        text = mem_printf("/%s_   (Enter keeps it, Escape shows all)", v->model.filter);
    } else if (v->mode == TOP_CONFIRM) {
        at.color = OUT_BOLD;
        text = mem_printf("restart %s? y/n", v->asked);
    } else if (v->notice) {
        at.color = OUT_BOLD;
        text = mem_strdup(v->notice);
    } else {
        text = mem_strdup(keys);
    }
    top_screen_put(s, &at, text);
}

static void draw_empty(struct top_screen *s, const struct top_view *v, const struct layout *l)
{
    struct top_at at = {.line = HEAD_LINES + 1, .width = l->columns, .color = OUT_DIM};

    if (v->news.status && v->model.count == 0 && l->table > 1)
        top_screen_put(s, &at,
                       v->model.filter[0]        ? "nothing has that in it; Escape shows all"
                       : v->model.only_unhealthy ? "everything is ready; Escape shows all"
                                                 : "there is no instance: `slipway up` makes them");
}

/* ---- the other pictures ---- */

static void draw_help(struct top_screen *s, const struct layout *l)
{
    static const char *const help[] = {
        "up down j k    choose an instance; PgUp PgDn Home End too",
        "l Enter        its log, followed; q goes back",
        "r              restart it; asks first",
        "s              a shell in its container, over SSH where sshd runs",
        "f              only what is not ready, or everything",
        "o              another order: name, cpu, memory, network, block I/O, ...",
        "/              only what has these letters in name, state or address",
        "v              volumes or events below",
        "q Ctrl-C       end",
        "",
        "CPU%   of one core                MEM    without the file cache",
        "IN/s OUT/s     bytes of the container's network",
        "RD/s WR/s      bytes of block devices, where the kernel counts them",
        "RST    restarts for a configuration, and by Docker after a crash",
        "IN/s and OUT/s of a volume are its driver's network: of all volumes it",
        "serves, to the storage and to clients.",
    };
    struct top_at at = {.width = l->columns};

    for (size_t i = 0; i < ARRAY_LEN(help) && i + 1 < l->lines; i++) {
        at.line = i;
        top_screen_put(s, &at, help[i]);
    }
    at = (struct top_at){.line = l->lines - 1, .width = l->columns, .color = OUT_DIM};
    top_screen_put(s, &at, "any key goes back");
}

static void draw_log(struct top_screen *s, const struct top_view *v, const struct layout *l)
{
    struct top_at at = {.width = l->columns, .reverse = true};
    size_t height = l->lines > 2 ? l->lines - 2 : 0;
    size_t end = v->log.count > v->log_back ? v->log.count - v->log_back : 0;
    size_t first = end > height ? end - height : 0;
    auto_free char *head = mem_printf("log of %s%s", v->log_name, v->log_back ? "" : ", followed");

    top_screen_put(s, &at, head);
    at.reverse = false;
    for (size_t i = first; i < end; i++) {
        at.line = 1 + i - first;
        top_screen_put(s, &at, v->log.items[i]);
    }
    at = (struct top_at){.line = l->lines - 1, .width = l->columns, .color = OUT_DIM};
    top_screen_put(s, &at, "q back  up down PgUp PgDn scroll  Home End first, newest");
}

void top_draw(struct top_screen *s, struct top_view *v)
{
    struct layout l = layout_of(s, v);

    top_screen_begin(s);
    if (v->mode == TOP_HELP) {
        draw_help(s, &l);
    } else if (v->mode == TOP_LOG) {
        draw_log(s, v, &l);
    } else {
        top_model_scroll(&v->model, l.table > 1 ? l.table - 1 : 0);
        draw_head(s, v, &l);
        top_table_draw(s, &v->model, &(struct top_area){HEAD_LINES, l.table, l.columns});
        draw_empty(s, v, &l);
        top_panel_draw(s, v, &(struct top_area){HEAD_LINES + l.table, l.panel, l.columns});
        draw_foot(s, v, &l);
    }
    top_screen_show(s);
}

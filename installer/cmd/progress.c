/* SPDX-License-Identifier: MIT */
#include "cmd/progress.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "cmd/out.h"
#include "conf/json.h"

enum { TICK_MS = 200, TEXT_MAX = 1 << 20, LINES_MAX = 64 << 20, ROWS_MAX = 200 };

struct running {
    size_t id;
    char *title, *detail;
    int64_t since;
};

struct progress {
    enum progress_mode mode;
    FILE *out;
    char *title;
    bool color;
    /* Guards everything below, and is never held while something is written: whoever has news and
     * finds nobody writing writes them, so that a terminal that stalls holds up one thread only. */
    pthread_mutex_t mutex;
    pthread_cond_t wrote; /* nobody writes any more */
    bool is_writing;      /* a thread here, or the log */
    bool is_stale;        /* the block is to be drawn again */
    struct buf lines;     /* to be written above the block */
    pthread_cond_t cond;
    pthread_t ticker;
    bool ticking, ended;
    int64_t began;
    size_t total, done, failed, skipped;
    struct running *running;
    size_t count;
    size_t widths[ROWS_MAX]; /* columns of the lines of the block on the screen */
    size_t rows;
};

static const char *const STATES[] = {"planned", "started", "done", "failed", "skipped"};

/* ---- the block ---- */

/* A line that is wider than a window made smaller meanwhile takes several rows. */
static size_t rows_on_screen(const struct progress *p, size_t columns)
{
    size_t rows = 0;

    for (size_t i = 0; i < p->rows; i++)
        rows += columns && p->widths[i] > columns ? (p->widths[i] + columns - 1) / columns : 1;
    return rows;
}

/* The sequence that removes the block; it is forgotten. */
static void add_erase(struct progress *p, struct buf *b)
{
    struct winsize w = {0};

    if (!p->rows)
        return;
    ioctl(fileno(p->out), TIOCGWINSZ, &w);
    buf_printf(b, "\r\033[%zuA\033[J", rows_on_screen(p, w.ws_col));
    p->rows = 0;
}

/* Cuts to `columns` by dropping bytes at the end; whole characters only. */
static void cut(char *text, size_t columns)
{
    size_t len = strlen(text);

    while (len && out_width(text) > columns) {
        do
            len--;
        while (len && utf8_is_inside(text[len]));
        text[len] = '\0';
    }
}

static void add_row(struct progress *p, struct buf *b, char *text, size_t columns)
{
    cut(text, columns);
    if (p->rows == ROWS_MAX)
        return;
    p->widths[p->rows++] = out_width(text);
    if (p->color && p->rows == 1)
        buf_puts(b, out_escape(OUT_BOLD));
    buf_puts(b, text);
    if (p->color && p->rows == 1)
        buf_puts(b, out_escape(OUT_PLAIN));
    buf_putc(b, '\n');
}

static char *running_line(const struct running *r)
{
    char seconds[32];

    snprintf(seconds, sizeof(seconds), "%.1f s", (double)(clock_now_ms() - r->since) / 1000.0);
    return mem_printf("  %8s  %s%s%s", seconds, r->title, r->detail ? ": " : "",
                      r->detail ? r->detail : "");
}

static void add_block(struct progress *p, struct buf *b)
{
    struct winsize w = {0};
    size_t columns, room;
    char *head;

    ioctl(fileno(p->out), TIOCGWINSZ, &w);
    columns = w.ws_col > 20 ? w.ws_col : 80;
    room = w.ws_row > 4 ? (size_t)w.ws_row - 3 : 10;
    head = mem_printf("%s: %zu of %zu done, %.1f s", p->title, p->done, p->total,
                      (double)(clock_now_ms() - p->began) / 1000.0);
    add_row(p, b, head, columns);
    free(head);
    for (size_t i = 0; i < p->count && i < room; i++) {
        char *line = i + 1 == room && p->count > room
                         ? mem_printf("            and %zu more", p->count - i)
                         : running_line(&p->running[i]);

        add_row(p, b, line, columns);
        free(line);
    }
}

/* ---- whose turn it is to write; the mutex is held ---- */

/* Waits until nobody writes. */
static void take_turn(struct progress *p)
{
    while (p->is_writing)
        pthread_cond_wait(&p->wrote, &p->mutex);
    p->is_writing = true;
}

static void end_turn(struct progress *p)
{
    p->is_writing = false;
    pthread_cond_broadcast(&p->wrote);
}

/* In this thread's turn: the old block goes, new lines come, and below them the block. One write,
 * so that no half of it is ever seen: stderr is not buffered. The mutex is not held meanwhile. */
static void write_once(struct progress *p, bool with_block)
{
    FILE *out = p->mode == PROGRESS_JSON ? stdout : p->out;
    auto_buf struct buf b = {0};

    buf_init(&b, LINES_MAX + TEXT_MAX);
    add_erase(p, &b);
    buf_add(&b, buf_str(&p->lines), p->lines.len);
    buf_reset(&p->lines);
    if (with_block)
        add_block(p, &b);
    p->is_stale = false;
    pthread_mutex_unlock(&p->mutex);
    fwrite(buf_str(&b), 1, b.len, out);
    fflush(out);
    pthread_mutex_lock(&p->mutex);
}

/* In this thread's turn: until there are no news left. */
static void write_all(struct progress *p)
{
    while (p->is_stale || p->lines.len > 0)
        write_once(p, p->mode == PROGRESS_TERMINAL && !p->ended && p->total > 0);
}

/* Who writes already looks for news once more before it ends. */
static void write_news(struct progress *p)
{
    if (p->is_writing)
        return;
    take_turn(p);
    write_all(p);
    end_turn(p);
}

static void *tick(void *arg)
{
    struct progress *p = arg;

    pthread_mutex_lock(&p->mutex);
    while (!p->ended) {
        pool_cond_wait(&p->cond, &p->mutex, TICK_MS);
        p->is_stale = true;
        write_news(p);
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

/* The hooks around a log line, whose turn it is between them, so that nothing is drawn there. */
static void before_line(void *arg)
{
    struct progress *p = arg;

    pthread_mutex_lock(&p->mutex);
    take_turn(p);
    write_once(p, false);
    pthread_mutex_unlock(&p->mutex);
}

static void after_line(void *arg)
{
    struct progress *p = arg;

    pthread_mutex_lock(&p->mutex);
    p->is_stale = true;
    write_all(p);
    end_turn(p);
    pthread_mutex_unlock(&p->mutex);
}

/* ---- life ---- */

enum progress_mode progress_mode_for(FILE *out)
{
    const char *term = getenv("TERM");

    return isatty(fileno(out)) && term && strcmp(term, "dumb") != 0 ? PROGRESS_TERMINAL
                                                                    : PROGRESS_LINES;
}

struct progress *progress_new(enum progress_mode mode, FILE *out, const char *title)
{
    struct progress *p = mem_alloc(sizeof(*p));

    p->mode = mode;
    p->out = out;
    p->title = mem_strdup(title);
    p->began = clock_now_ms();
    buf_init(&p->lines, LINES_MAX);
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->wrote, NULL);
    pool_cond_init(&p->cond);
    if (mode == PROGRESS_TERMINAL) {
        log_set_hook(before_line, after_line, p);
        p->ticking = thread_start(&p->ticker, NULL, tick, p) == 0;
    }
    return p;
}

void progress_set_color(struct progress *p, int on)
{
    p->color = on != 0;
}

static void drop(struct running *r)
{
    free(r->title);
    free(r->detail);
}

static void stop_ticking(struct progress *p)
{
    pthread_mutex_lock(&p->mutex);
    take_turn(p);
    p->ended = true;
    write_once(p, false);
    end_turn(p);
    pthread_cond_broadcast(&p->cond);
    pthread_mutex_unlock(&p->mutex);
    if (p->ticking)
        pthread_join(p->ticker, NULL);
    p->ticking = false;
    if (p->mode == PROGRESS_TERMINAL)
        log_set_hook(NULL, NULL, NULL);
}

void progress_free(struct progress *p)
{
    if (!p)
        return;
    stop_ticking(p);
    for (size_t i = 0; i < p->count; i++)
        drop(&p->running[i]);
    free(p->running);
    free(p->title);
    buf_clear(&p->lines);
    pthread_mutex_destroy(&p->mutex);
    pthread_cond_destroy(&p->wrote);
    pthread_cond_destroy(&p->cond);
    free(p);
}

void progress_begin(struct progress *p, size_t total)
{
    pthread_mutex_lock(&p->mutex);
    for (size_t i = 0; i < p->count; i++)
        drop(&p->running[i]);
    p->count = 0;
    p->total = total;
    p->done = p->failed = p->skipped = 0;
    pthread_mutex_unlock(&p->mutex);
}

/* ---- changes ---- */

static struct running *find(struct progress *p, size_t id)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->running[i].id == id)
            return &p->running[i];
    return NULL;
}

/* Details come from outside (build output, hooks): harmless, one line. */
static char *one_line(const char *text)
{
    struct buf b;

    if (!text)
        return NULL;
    buf_init(&b, TEXT_MAX);
    out_safe(&b, text, strcspn(text, "\n"));
    return buf_take(&b);
}

static void set_running(struct progress *p, size_t id, const char *title, const char *detail)
{
    struct running *r = find(p, id);

    if (!r) {
        p->running = mem_grow(p->running, p->count + 1, sizeof(*p->running));
        r = &p->running[p->count++];
        *r = (struct running){.id = id, .title = one_line(title), .since = clock_now_ms()};
    }
    free(r->detail);
    r->detail = one_line(detail);
}

static void remove_running(struct progress *p, size_t id)
{
    struct running *r = find(p, id);

    if (!r)
        return;
    drop(r);
    memmove(r, r + 1, (size_t)(p->running + p->count - r - 1) * sizeof(*r));
    p->count--;
}

static void add_line(struct progress *p, const char *title, enum progress_state state,
                     const char *detail)
{
    auto_free char *text = one_line(detail);
    struct buf *b = &p->lines;
    bool bad = state == PROGRESS_FAILED;

    buf_printf(b, "[%6.2f] %3zu/%zu %s%-7s%s ", (double)(clock_now_ms() - p->began) / 1000.0,
               p->done, p->total, bad && p->color ? out_escape(OUT_BAD) : "", STATES[state],
               bad && p->color ? out_escape(OUT_PLAIN) : "");
    out_addf(b, "%s%s%s", title, text ? ": " : "", text ? text : "");
    buf_putc(b, '\n');
}

static void add_json(struct progress *p, size_t id, const char *title, enum progress_state state,
                     const char *detail)
{
    auto_node struct node *n = node_new_map();
    auto_free char *text = NULL;

    node_set_text(n, "environment", p->title);
    node_set_int(n, "operation", (int64_t)id);
    node_set_text(n, "title", title);
    node_set_text(n, "state", STATES[state]);
    node_set_int(n, "ms", clock_now_ms() - p->began);
    if (detail)
        node_set_text(n, "detail", detail);
    text = json_text(n);
    buf_puts(&p->lines, text);
    buf_putc(&p->lines, '\n');
}

void progress_op(struct progress *p, size_t id, const char *title, enum progress_state state,
                 const char *detail)
{
    pthread_mutex_lock(&p->mutex);
    p->done += state == PROGRESS_DONE;
    p->failed += state == PROGRESS_FAILED;
    p->skipped += state == PROGRESS_SKIPPED;
    if (p->mode == PROGRESS_JSON)
        add_json(p, id, title, state, detail);
    if (p->mode == PROGRESS_LINES && (state == PROGRESS_DONE || state == PROGRESS_FAILED ||
                                      (detail && state != PROGRESS_SKIPPED)))
        add_line(p, title, state, detail);
    if (p->mode == PROGRESS_TERMINAL) {
        if (state == PROGRESS_STARTED)
            set_running(p, id, title, detail);
        else
            remove_running(p, id);
        if (state == PROGRESS_FAILED)
            add_line(p, title, state, detail);
        p->is_stale = true;
    }
    write_news(p);
    pthread_mutex_unlock(&p->mutex);
}

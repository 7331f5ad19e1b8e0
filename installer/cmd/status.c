/* SPDX-License-Identifier: MIT */
#include "env/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sig.h"
#include "cmd/out.h"

enum { EXIT_UNHEALTHY = 5, WATCH_MS = 2000, TEXT_MAX = 4 << 20, TICK_MS = 100, LINES_SHOWN = 3 };

struct status_options {
    bool watch, wide;
};

static const struct opt_spec options[] = {
    {"watch", 'w', OPT_FLAG, NULL, "look again every two seconds, until Ctrl-C",
     offsetof(struct status_options, watch)},
    {"wide", 0, OPT_FLAG, NULL, "images, hashes, agents and how it is reached too",
     offsetof(struct status_options, wide)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway status", "every instance; exit status 5 when something is unhealthy"},
    {"slipway status --json", "the same for programs"},
    {0},
};

static enum out_color color_of(const struct node *row)
{
    const char *state = node_get_text(row, "state");

    if (node_get_bool(row, "ok", false))
        return OUT_GOOD;
    return strcmp(state, "starting") == 0 || strcmp(state, "stopping") == 0 ? OUT_WARN : OUT_BAD;
}

/* "applied", or what keeps it from being so. */
static void add_config(struct out_table *t, const struct node *row)
{
    const struct node *config = node_get(row, "config"), *pending = node_get(config, "pending");
    const char *result = node_get_text(config, "result");

    if (!config || !node_get_text(config, "applied"))
        out_table_add(t, config ? "not yet" : NULL, OUT_DIM);
    else if (result && strcmp(result, "failed") == 0)
        out_table_add(t, "failed", OUT_BAD);
    else if (pending && pending->count)
        out_table_addf(t, OUT_WARN, "%zu pending", pending->count);
    else if (!node_get_bool(config, "current", false))
        out_table_add(t, "behind", OUT_WARN);
    else
        out_table_addf(t, OUT_PLAIN, "applied @%lld",
                       (long long)node_get_int(config, "revision", 0));
}

static void add_since(struct out_table *t, const struct node *row)
{
    char span[32];
    int64_t since;

    if (!node_get_text(row, "since") || !clock_parse(&since, node_get_text(row, "since"))) {
        out_table_add(t, NULL, OUT_DIM);
        return;
    }
    clock_format_span(span, clock_wall_ms() - since);
    out_table_add(t, span, OUT_PLAIN);
}

static void add_row(struct out_table *t, const struct node *row, bool wide)
{
    const char *health = node_get_text(row, "health");

    out_table_add(t, node_get_text(row, "instance"), OUT_PLAIN);
    out_table_add(t, node_get_text(row, "state"), color_of(row));
    out_table_add(t, health,
                  strcmp(health, "healthy") == 0     ? OUT_GOOD
                  : strcmp(health, "unhealthy") == 0 ? OUT_BAD
                                                     : OUT_DIM);
    add_config(t, row);
    out_table_add(t, node_get_text(row, "restarts"),
                  node_get_int(row, "restarts", 0) ? OUT_WARN : OUT_PLAIN);
    add_since(t, row);
    out_table_add(t, node_get_text(row, "address"), OUT_PLAIN);
    if (wide) {
        out_table_add(t, node_get_text(row, "via"), OUT_PLAIN);
        out_table_add(t, node_get_text(row, "image"), OUT_PLAIN);
        out_table_add(t, node_get_text(row, "id"), OUT_PLAIN);
        out_table_add(t, node_get_text(row, "agent"), OUT_PLAIN);
        out_table_add(t, node_get_text(row, "release"), OUT_PLAIN);
        out_table_add(t, node_get_text(node_get(row, "config"), "desired"), OUT_PLAIN);
        out_table_add(t, node_get_text(node_get(row, "config"), "applied"), OUT_PLAIN);
    }
}

static void format_table(struct buf *b, const struct node *instances, bool wide, bool color)
{
    static const char *const narrow_heads[] = {"INSTANCE", "STATE", "HEALTH",  "CONFIG",
                                               "RESTARTS", "SINCE", "ADDRESS", NULL};
    static const char *const wide_heads[] = {
        "INSTANCE", "STATE", "HEALTH", "CONFIG",  "RESTARTS", "SINCE",   "ADDRESS", "VIA",
        "IMAGE",    "ID",    "AGENT",  "RELEASE", "DESIRED",  "APPLIED", NULL};
    struct out_table *t = out_table_new(wide ? wide_heads : narrow_heads);
    const struct node *row;

    node_for_each (row, instances) {
        add_row(t, row, wide);
    }
    out_table_format(b, t, color);
    out_table_free(t);
}

/* What happened, and below it the last lines of what a daemon printed: --json has all of them. */
static void add_lines(struct buf *b, const char *text)
{
    auto_strv struct strv lines = {0};

    strv_split(&lines, text, "\n");
    for (size_t i = 0; i < lines.count; i++) {
        if (i > 0 && i + LINES_SHOWN < lines.count)
            continue;
        if (i > 0)
            buf_puts(b, "    ");
        out_safe(b, lines.items[i], strlen(lines.items[i]));
        buf_putc(b, '\n');
    }
}

/* Reasons are sentences: below the table, not in it. */
static void format_reasons(struct buf *b, const struct node *instances)
{
    const struct node *row;

    node_for_each (row, instances) {
        const char *renamed = node_get_text(row, "renamed_to");
        const char *reason = node_get_text(row, "reason");
        const char *error = node_get_text(node_get(row, "config"), "error");
        const char *held = node_get_text(node_get(row, "keeper"), "cause");
        const char *ended = node_get_text(node_get(row, "ended"), "text");
        const struct node *pending = node_get(node_get(row, "config"), "pending"), *p;

        if (!node_get_bool(row, "ok", false) && reason) {
            out_addf(b, "%s: ", node_get_text(row, "instance"));
            out_safe(b, reason, strlen(reason));
            buf_putc(b, '\n');
        }
        if (held) {
            out_addf(b, "%s: %s", node_get_text(row, "instance"), held);
            buf_putc(b, '\n');
        }
        if (renamed)
            out_addf(b, "%s: its container was renamed to %s; `slipway up` gives it its name",
                     node_get_text(row, "instance"), renamed);
        if (renamed)
            buf_putc(b, '\n');
        if (ended) {
            buf_printf(b, "%s: before its last start: ", node_get_text(row, "instance"));
            add_lines(b, ended);
        }
        if (error && *error) {
            buf_printf(b, "%s: its configuration: ", node_get_text(row, "instance"));
            add_lines(b, error);
        }
        node_for_each (p, pending) {
            if (!p->text)
                continue;
            out_addf(b, "%s: pending: %s", node_get_text(row, "instance"), p->text);
            buf_putc(b, '\n');
        }
    }
}

static void format_etcd(struct buf *b, const struct node *etcd)
{
    const struct node *alarms = node_get(etcd, "alarms"), *a;

    if (!node_get_bool(etcd, "answers", false)) {
        out_addf(b, "etcd does not answer: %s", node_get_text(etcd, "error"));
        buf_putc(b, '\n');
        return;
    }
    out_addf(b, "etcd %s: %lld of %lld members answer, %.1f MiB, revision %lld",
             node_get_text(etcd, "version") ? node_get_text(etcd, "version") : "?",
             (long long)node_get_int(etcd, "answering", 0),
             (long long)node_get_int(etcd, "members", 0),
             (double)node_get_int(etcd, "db_size", 0) / (1 << 20),
             (long long)node_get_int(etcd, "revision", 0));
    buf_puts(b, alarms && alarms->count ? ", ALARM" : "\n");
    node_for_each (a, alarms) {
        out_addf(b, " %s", a->text);
    }
    if (alarms && alarms->count)
        buf_puts(b, " (see `slipway check`)\n");
}

/* Who keeps the environment, and whether that acts. */
static void format_keeper(struct buf *b, const struct node *keeper)
{
    const char *holder = node_get_text(keeper, "holder"), *detail = node_get_text(keeper, "detail");

    if (holder)
        out_addf(b, "kept by %s%s", holder, detail ? ", " : "");
    if (detail)
        out_addf(b, "%s (`slipway resume` ends that)", detail);
    if (holder || detail)
        buf_putc(b, '\n');
}

static void format_strays(struct buf *b, const struct node *strays)
{
    const struct node *s;

    node_for_each (s, strays) {
        const char *container = node_get_text(s, "container");
        const char *instance = node_get_text(s, "instance");

        buf_printf(b, "container %s carries the labels of ", container);
        out_safe(b, instance, strlen(instance));
        buf_printf(b, " and is another one (`docker rm -f %s` removes it)\n", container);
    }
}

static void format(struct buf *b, const struct node *n, bool wide, bool color)
{
    const struct node *instances = node_get(n, "instances"), *row;
    size_t bad = 0;

    format_table(b, instances, wide, color);
    buf_putc(b, '\n');
    format_reasons(b, instances);
    format_strays(b, node_get(n, "strays"));
    format_keeper(b, node_get(n, "keeper"));
    format_etcd(b, node_get(n, "etcd"));
    node_for_each (row, instances) {
        bad += !node_get_bool(row, "ok", false);
    }
    buf_printf(b, "%s%s: %s%s", color ? out_escape(OUT_BOLD) : "", node_get_text(n, "environment"),
               node_get_bool(n, "healthy", false) ? "healthy" : "NOT healthy",
               color ? out_escape(OUT_PLAIN) : "");
    if (bad)
        buf_printf(b, ", %zu of %zu instances are not ready", bad, instances->count);
    buf_putc(b, '\n');
    if (node_get_text(n, "note")) {
        out_addf(b, "%s", node_get_text(n, "note"));
        buf_putc(b, '\n');
    }
}

static int read_status(struct node **out, struct cmd_context *x, const struct strv *words,
                       struct err *e)
{
    if (x->remote)
        return remote_status(out, x->remote, words, e);
    if (status_read(out, x->env, e) < 0)
        return -1;
    return words->count ? status_select(*out, x->env, words, e) : 0;
}

static int show(struct cmd_context *x, const struct status_options *o, const struct strv *operands,
                struct err *e)
{
    auto_node struct node *n = NULL;
    auto_buf struct buf b = {0};

    buf_init(&b, TEXT_MAX);
    if (read_status(&n, x, operands, e) < 0)
        return -1;
    if (x->json && o->watch) {
        out_json_line(n);
    } else if (x->json) {
        out_json(n);
    } else {
        if (o->watch && isatty(STDOUT_FILENO))
            buf_puts(&b, "\033[H\033[J");
        format(&b, n, o->wide, out_has_color(x, stdout));
        out_buf(&b);
        fflush(stdout);
    }
    return node_get_bool(n, "healthy", false) ? 0 : EXIT_UNHEALTHY;
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct status_options *o = opts;
    int r = show(x, o, operands, e);

    while (o->watch && r >= 0 && sig_interrupts() == 0 && !ferror(stdout)) {
        int next = r;

        for (int i = 0; i < WATCH_MS / TICK_MS && sig_interrupts() == 0; i++)
            clock_sleep_ms(TICK_MS);
        if (sig_interrupts() == 0)
            next = show(x, o, operands, e);
        /* Ctrl-C in the middle of a question to a server is how this ends. */
        if (next < 0 && e->code == ERR_INTERRUPTED)
            break;
        r = next;
    }
    return r;
}

const struct cmd cmd_status = {
    .help = {.name = "status",
             .summary = "every instance: state, health, configuration; exit 5: unhealthy",
             .args = "[INSTANCE|COMPONENT ...]",
             .details =
                 "CONFIG compares what etcd holds for an instance with what it has in effect: "
                 "applied @REVISION, behind (it has not seen the newest keys yet), pending (a "
                 "key waits for a restart), failed.\n\nRESTARTS counts both restarts for a "
                 "configuration and those by Docker after the daemon ended by itself; --json has "
                 "the latter apart, as crashes.\n\nA silent instance runs, but its agent "
                 "has not reported to etcd.",
             .options = options,
             .examples = examples,
             .group = "Environments"},
    .options_size = sizeof(struct status_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_ENGINE,
    .max_operands = -1,
    .server = true,
    .run = run,
};

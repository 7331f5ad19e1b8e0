/* SPDX-License-Identifier: MIT */
/* Figures for Prometheus, in its text format 0.0.4, from what was seen last. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "controller/api.h"

enum { TEXT_MAX = 4 << 20 };

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and newline are escaped. */
static void label(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, "%s=\"", name);
    for (; value && *value; value++) {
        if (*value == '\\' || *value == '"')
            buf_putc(b, '\\');
        if (*value == '\n')
            buf_puts(b, "\\n");
        else
            buf_putc(b, *value);
    }
    buf_putc(b, '"');
}

static void sample(struct buf *b, const char *name, const struct node *row, int64_t value)
{
    buf_printf(b, "%s{", name);
    label(b, "instance_name", node_get_text(row, "instance"));
    buf_putc(b, ',');
    label(b, "component", node_get_text(row, "component"));
    buf_printf(b, "} %lld\n", (long long)value);
}

static void add_instances(struct buf *b, const struct node *rows)
{
    const struct node *row;

    head(b, "slipway_instance_ok", "gauge", "Whether the instance is as it should be.");
    node_for_each (row, rows) {
        sample(b, "slipway_instance_ok", row, node_get_bool(row, "ok", false));
    }
    head(b, "slipway_instance_config_current", "gauge",
         "Whether the instance has applied what etcd holds for it.");
    node_for_each (row, rows) {
        sample(b, "slipway_instance_config_current", row,
               node_get_bool(node_get(row, "config"), "current", false));
    }
    head(b, "slipway_instance_restarts_total", "counter",
         "Restarts of the daemon for its configuration.");
    node_for_each (row, rows) {
        sample(b, "slipway_instance_restarts_total", row, node_get_int(row, "restarts", 0));
    }
    head(b, "slipway_instance_crashes_total", "counter",
         "Restarts by Docker after the daemon ended by itself.");
    node_for_each (row, rows) {
        sample(b, "slipway_instance_crashes_total", row, node_get_int(row, "crashes", 0));
    }
}

static void add_tasks(struct buf *b, struct controller *c)
{
    static const char *const states[] = {"queued", "running",   "succeeded",
                                         "failed", "cancelled", "interrupted"};
    auto_node struct node *rows = tasks_rows(&c->tasks);
    const struct node *row;

    head(b, "slipway_tasks", "gauge", "Tasks that are kept, by state.");
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        int count = 0;

        node_for_each (row, rows) {
            count += node_text_is(row, "state", states[i]);
        }
        buf_printf(b, "slipway_tasks{state=\"%s\"} %d\n", states[i], count);
    }
}

int api_metrics(struct controller *c, struct request *q, struct err *e)
{
    auto_node struct node *environment = view_environment(&c->view);
    auto_node struct node *rows = view_rows(&c->view);
    auto_buf struct buf b = {0};
    int64_t seen = 0;

    (void)e;
    buf_init(&b, TEXT_MAX);
    head(&b, "slipway_environment_healthy", "gauge", "Whether the whole environment is well.");
    buf_puts(&b, "slipway_environment_healthy{");
    label(&b, "environment", c->env.name);
    buf_printf(&b, "} %d\n", environment && node_get_bool(environment, "healthy", false));
    if (environment && clock_parse(&seen, node_get_text(environment, "seen"))) {
        head(&b, "slipway_seen_timestamp_seconds", "gauge", "When it was looked at last.");
        buf_printf(&b, "slipway_seen_timestamp_seconds %lld\n", (long long)(seen / 1000));
    }
    head(&b, "slipway_etcd_answers", "gauge", "Whether etcd answers.");
    buf_printf(&b, "slipway_etcd_answers %d\n",
               environment && node_get_bool(node_get(environment, "etcd"), "answers", false));
    if (rows)
        add_instances(&b, rows);
    add_tasks(&b, c);
    reply_text(q, "text/plain; version=0.0.4; charset=utf-8", buf_take(&b));
    return 0;
}

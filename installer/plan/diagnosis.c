/* SPDX-License-Identifier: MIT */
/* What a person would look up first when an instance does not become healthy. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "plan/run.h"

enum { LOG_LINES = 8, LINE_MAX_LEN = 160 };

static void on_line(void *arg, int stream, const char *text, size_t len)
{
    struct buf *b = arg;

    (void)stream;
    buf_printf(b, "\n    %.*s", (int)(len > LINE_MAX_LEN ? LINE_MAX_LEN : len), text);
}

static void add_state(struct buf *b, const struct node *inspect)
{
    const struct node *state = node_get(inspect, "State");
    const char *status = node_get_text(state, "Status");

    buf_printf(b, "container %s", status ? status : "?");
    if (status && strcmp(status, "running") != 0)
        buf_printf(b, ", exit status %" PRId64, node_get_int(state, "ExitCode", 0));
    if (node_get_bool(state, "OOMKilled", false))
        buf_puts(b, ", killed because its memory limit was reached");
    if (node_get_int(inspect, "RestartCount", 0) > 0)
        buf_printf(b, ", restarted %" PRId64 " times", node_get_int(inspect, "RestartCount", 0));
}

void diagnose_instance(struct buf *b, struct engine *g, const char *container)
{
    struct engine_log_opts o = {.tail = LOG_LINES, .line = on_line, .arg = b};
    auto_node struct node *inspect = NULL;
    struct err e;

    if (engine_container_inspect(&inspect, g, container, &e) < 0) {
        buf_puts(b, e.msg);
        return;
    }
    add_state(b, inspect);
    buf_puts(b, "; last log lines:");
    if (engine_container_logs(g, container, &o, &e) < 0)
        buf_printf(b, " (%s)", e.msg);
    log_redact_text(b->data);
}

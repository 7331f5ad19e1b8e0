/* SPDX-License-Identifier: MIT */
#include "cmd/log_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/out.h"

/* What the engine gives at most, with its timestamp. */
enum { LINE_MAX_BYTES = (1 << 20) + 64 };

/* "TIME text" as the engine gives it, to where the text begins. */
static const char *skip_time(const char *line)
{
    const char *space = strchr(line, ' ');

    return space ? space + 1 : line;
}

static void print_json(const char *instance, int stream, const char *line, size_t len)
{
    auto_node struct node *n = node_new_map();
    const char *text = skip_time(line);
    auto_free char *time = mem_strndup(line, text > line ? (size_t)(text - line - 1) : 0);
    auto_buf struct buf safe = {0};

    buf_init(&safe, LINE_MAX_BYTES * 4);
    out_safe(&safe, text, len - (size_t)(text - line));
    node_set_text(n, "instance", instance);
    node_set_text(n, "stream", stream == 2 ? "stderr" : "stdout");
    node_set_text(n, "time", time);
    node_set_text(n, "line", buf_str(&safe));
    out_json_line(n);
}

void log_lines_open(struct log_lines *l, const struct cmd_context *x)
{
    l->x = x;
    l->color = out_has_color(x, stdout);
    l->error_color = out_has_color(x, stderr);
    for (size_t i = 0; i < l->names.count; i++)
        if ((int)strlen(l->names.items[i]) > l->width)
            l->width = (int)strlen(l->names.items[i]);
}

void log_lines_put(const struct log_lines *l, size_t source, int stream, const char *text,
                   size_t len)
{
    auto_buf struct buf b = {0};
    bool color = stream == 2 ? l->error_color : l->color;

    buf_init(&b, LINE_MAX_BYTES * 4);
    if (l->names.count > 1) {
        if (color)
            buf_puts(&b, out_escape_of(source));
        buf_printf(&b, "%-*s | ", l->width, l->names.items[source]);
        if (color)
            buf_puts(&b, out_escape(OUT_PLAIN));
    }
    out_safe(&b, text, len);
    buf_putc(&b, '\n');
    if (stream == 2)
        fwrite(buf_str(&b), 1, b.len, stderr);
    else
        out_buf(&b);
}

void log_lines_print(const struct log_lines *l, size_t source, int stream, const char *line,
                     size_t len)
{
    const char *text = l->timestamps ? line : skip_time(line);

    if (l->x->json) {
        print_json(l->names.items[source], stream, line, len);
        return;
    }
    log_lines_put(l, source, 1, text, len - (size_t)(text - line));
    if (l->flush)
        fflush(stdout);
}

void log_lines_close(struct log_lines *l)
{
    strv_clear(&l->names);
}

int log_lines_tail(int *out, const char *text, struct err *e)
{
    char *end;
    long n;

    *out = -1;
    if (!text || strcmp(text, "all") == 0)
        return 0;
    n = strtol(text, &end, 10);
    if (*end || end == text || n < 0 || n > 100000000)
        return err_set(e, ERR_USAGE, "--tail takes a number or all, not %s", text);
    *out = (int)n;
    return 0;
}

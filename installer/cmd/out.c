/* SPDX-License-Identifier: MIT */
#include "cmd/out.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/mem.h"
#include "base/sig.h"
#include "base/utf8.h"
#include "conf/json.h"

enum { ASK_TICK_MS = 200 };

bool out_has_color(const struct cmd_context *x, FILE *f)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    if (x->no_color || x->json || (no && no[0]) ||
        !isatty(f == stderr ? STDERR_FILENO : STDOUT_FILENO))
        return false;
    return term && strcmp(term, "dumb") != 0;
}

const char *out_escape(enum out_color c)
{
    static const char *const escapes[] = {
        [OUT_PLAIN] = "\033[0m", [OUT_GOOD] = "\033[32m", [OUT_WARN] = "\033[33m",
        [OUT_BAD] = "\033[31m",  [OUT_DIM] = "\033[2m",   [OUT_BOLD] = "\033[1m",
    };

    return escapes[c];
}

const char *out_escape_of(size_t number)
{
    static const char *const escapes[] = {"\033[36m", "\033[33m", "\033[32m", "\033[35m",
                                          "\033[34m", "\033[96m", "\033[93m", "\033[92m",
                                          "\033[95m", "\033[94m"};

    return escapes[number % ARRAY_LEN(escapes)];
}

void out_safe(struct buf *b, const char *text, size_t len)
{
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t c = 0;

        n = utf8_decode(&c, text + i, len - i);
        if (n > 0 && (c == '\t' || !utf8_is_control(c))) {
            buf_add(b, text + i, n);
            continue;
        }
        n = 1; /* of a control of two bytes the second one follows as what it is alone */
        if (text[i] != '\r' || i + 1 != len) /* a carriage return at the end says nothing */
            buf_printf(b, "\\x%02x", (unsigned char)text[i]);
    }
}

/* Printable ASCII, as nearly all text is: its width needs no locale, whose tables are loaded at the
 * first use. */
static bool is_plain(const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p < ' ' || *p > '~')
            return false;
    return true;
}

static size_t wide_width(const char *text)
{
    size_t columns = 0;
    size_t left = strlen(text), n;

    for (; left > 0; text += n, left -= n) {
        uint32_t c = 0;

        n = utf8_decode(&c, text, left);
        if (n == 0) { /* broken: count the byte */
            n = 1;
            columns++;
        } else {
            columns += wcwidth((wchar_t)c) > 0 ? (size_t)wcwidth((wchar_t)c) : 0;
        }
    }
    return columns;
}

void out_safe_lines(struct buf *b, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));

        out_safe(b, text, (size_t)((newline ? newline : end) - text));
        if (newline)
            buf_putc(b, '\n');
        text = newline ? newline + 1 : end;
    }
}

void out_problem(const char *before, const char *text)
{
    auto_buf struct buf b = {0};

    buf_init(&b, PTRDIFF_MAX);
    out_safe_lines(&b, text, strlen(text));
    fprintf(stderr, "%s%s\n", before, buf_str(&b));
}

__attribute__((format(printf, 2, 0))) static void add_safe(struct buf *b, const char *fmt,
                                                           va_list ap)
{
    auto_free char *text = mem_vprintf(fmt, ap);

    out_safe(b, text, strlen(text));
}

void out_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_safe(b, fmt, ap);
    va_end(ap);
}

void out_line(FILE *f, const char *fmt, ...)
{
    auto_buf struct buf b = {0};
    va_list ap;

    buf_init(&b, PTRDIFF_MAX);
    va_start(ap, fmt);
    add_safe(&b, fmt, ap);
    va_end(ap);
    buf_putc(&b, '\n');
    fwrite(buf_str(&b), 1, b.len, f);
}

void out_prompt(const char *fmt, ...)
{
    auto_free char *text = NULL;
    auto_buf struct buf b = {0};
    va_list ap;

    va_start(ap, fmt);
    text = mem_vprintf(fmt, ap);
    va_end(ap);
    buf_init(&b, PTRDIFF_MAX);
    out_safe_lines(&b, text, strlen(text));
    fputs(buf_str(&b), stderr);
}

void out_value(const char *text)
{
    auto_buf struct buf b = {0};

    buf_init(&b, PTRDIFF_MAX);
    if (isatty(STDOUT_FILENO))
        out_safe_lines(&b, text, strlen(text));
    else
        buf_puts(&b, text);
    buf_putc(&b, '\n');
    out_buf(&b);
}

size_t out_width(const char *text)
{
    if (is_plain(text))
        return strlen(text);
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    size_t columns = wide_width(text);

    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    return columns;
}

/* ---- tables ---- */

struct cell {
    char *text;
    enum out_color color;
};

struct out_table {
    const char *const *heads;
    size_t columns, count;
    struct cell *cells;
};

struct out_table *out_table_new(const char *const *heads)
{
    struct out_table *t = mem_alloc(sizeof(*t));

    t->heads = heads;
    while (heads[t->columns])
        t->columns++;
    return t;
}

void out_table_add(struct out_table *t, const char *text, enum out_color c)
{
    struct buf b;

    if (!text || !text[0])
        text = "-";
    buf_init(&b, 4096);
    out_safe(&b, text, strlen(text));
    t->cells = mem_grow(t->cells, t->count + 1, sizeof(*t->cells));
    t->cells[t->count++] = (struct cell){buf_take(&b), c};
}

void out_table_addf(struct out_table *t, enum out_color c, const char *fmt, ...)
{
    auto_free char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = mem_vprintf(fmt, ap);
    va_end(ap);
    out_table_add(t, text, c);
}

static size_t column_width(const struct out_table *t, size_t column)
{
    size_t width = out_width(t->heads[column]);

    for (size_t i = column; i < t->count; i += t->columns) {
        size_t w = out_width(t->cells[i].text);

        if (w > width)
            width = w;
    }
    return width;
}

static void format_cell(struct buf *b, const char *text, const char *escape, size_t pad)
{
    if (escape)
        buf_puts(b, escape);
    buf_puts(b, text);
    if (escape)
        buf_puts(b, out_escape(OUT_PLAIN));
    for (size_t i = 0; i < pad; i++)
        buf_putc(b, ' ');
}

void out_table_format(struct buf *b, const struct out_table *t, bool color)
{
    size_t *widths = mem_array(t->columns, sizeof(*widths));

    for (size_t c = 0; c < t->columns; c++)
        widths[c] = column_width(t, c);
    for (size_t i = 0; i < t->columns + t->count; i++) {
        size_t c = i % t->columns;
        const struct cell *cell = i < t->columns ? NULL : &t->cells[i - t->columns];
        const char *text = cell ? cell->text : t->heads[c];
        enum out_color want = cell ? cell->color : OUT_DIM;
        bool last = c + 1 == t->columns;

        format_cell(b, text, color && want != OUT_PLAIN ? out_escape(want) : NULL,
                    last ? 0 : widths[c] - out_width(text) + 2);
        if (last)
            buf_putc(b, '\n');
    }
    free(widths);
}

void out_table_free(struct out_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++)
        free(t->cells[i].text);
    free(t->cells);
    free(t);
}

void out_table_print(struct out_table *t, const struct cmd_context *x)
{
    auto_buf struct buf b = {0};

    buf_init(&b, PTRDIFF_MAX);
    out_table_format(&b, t, out_has_color(x, stdout));
    out_buf(&b);
    out_table_free(t);
}

/* ---- JSON ---- */

void out_error(struct node *row, const struct err *e)
{
    if (e->code == ERR_NONE)
        return;
    node_set_text(row, "error", e->msg);
    node_set_text(row, "code", err_code_name(e->code));
}

void out_buf(const struct buf *b)
{
    fwrite(buf_str(b), 1, b->len, stdout);
}

void out_json(const struct node *n)
{
    auto_buf struct buf b = {0};

    buf_init(&b, PTRDIFF_MAX); /* cut short it would not be JSON */
    json_format(&b, n, 2);
    buf_putc(&b, '\n');
    out_buf(&b);
}

void out_json_line(const struct node *n)
{
    auto_free char *text = json_text(n);

    puts(text);
    fflush(stdout);
}

bool out_ask(char *line, size_t size)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    int input = isatty(STDIN_FILENO) ? 0 : 1; /* only a terminal has one line at a time */

    fflush(stderr);
    /* A signal does not end a read, but a poll; or comes just before it. */
    while (input == 0 || (input < 0 && errno == EINTR)) {
        if (sig_interrupts()) {
            fputc('\n', stderr);
            return false;
        }
        input = poll(&p, 1, ASK_TICK_MS);
    }
    if (sig_interrupts() || !fgets(line, (int)size, stdin))
        return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "cmd/out.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/mem.h"
#include "base/sig.h"
#include "conf/json.h"

enum { JSON_MAX = 64 << 20, ASK_TICK_MS = 200 };

bool out_has_color(const struct cmd_context *x, FILE *f)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    if (x->no_color || x->json || (no && no[0]) || !isatty(fileno(f)))
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

/* Length of one UTF-8 sequence that is well formed and no control character; 0 when it is not. */
static size_t sequence(const unsigned char *p, size_t len)
{
    size_t n = p[0] < 0x80   ? 1
               : p[0] < 0xc2 ? 0
               : p[0] < 0xe0 ? 2
               : p[0] < 0xf0 ? 3
               : p[0] < 0xf5 ? 4
                             : 0;
    if (n == 0 || n > len || p[0] < 0x20 || p[0] == 0x7f)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if (p[0] == 0xc2 && p[1] < 0xa0) /* C1 controls */
        return 0;
    return n;
}

void out_safe(struct buf *b, const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;

    for (size_t i = 0; i < len;) {
        size_t n = sequence(p + i, len - i);
        if (n == 0 && p[i] == '\t')
            n = 1;
        if (n > 0)
            buf_add(b, p + i, n);
        else if (p[i] != '\r' || i + 1 != len) /* a carriage return at the end says nothing */
            buf_printf(b, "\\x%02x", p[i]);
        i += n ? n : 1;
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
    wchar_t c;
    mbstate_t state = {0};
    size_t left = strlen(text);

    while (left) {
        size_t n = mbrtowc(&c, text, left, &state);
        if (n == 0 || n > left) { /* broken: count the byte */
            n = 1;
            columns++;
            memset(&state, 0, sizeof(state));
        } else {
            columns += wcwidth(c) > 0 ? (size_t)wcwidth(c) : 0;
        }
        text += n;
        left -= n;
    }
    return columns;
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

size_t out_terminal_width(FILE *f)
{
    struct winsize w = {0};

    return isatty(fileno(f)) && ioctl(fileno(f), TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}

/* ---- tables ------------------------------------------------------------------------------------
 */

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

/* ---- JSON --------------------------------------------------------------------------------------
 */

void out_buf(const struct buf *b)
{
    fwrite(buf_str(b), 1, b->len, stdout);
}

void out_json(const struct node *n)
{
    auto_buf struct buf b = {0};

    buf_init(&b, JSON_MAX);
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

/* SPDX-License-Identifier: MIT */
/* Options from a table: help, man page and completion words. */
#include <string.h>

#include "base/mem.h"
#include "base/opt.h"

enum { WIDTH = 80, HELP_COLUMN = 26 };

/* "-j, --json" or "    --set KEY=VALUE", owned. */
static char *left_side(const struct opt_spec *o)
{
    char letter[5] = "    ";

    if (o->letter) {
        letter[0] = '-';
        letter[1] = o->letter;
        letter[2] = ',';
    }
    return mem_printf("%s--%s%s%s", letter, o->name, o->arg ? " " : "", o->arg ? o->arg : "");
}

/* Words of one paragraph from `column` on, wrapped with the same indent; ends the line. */
static void wrap(struct buf *b, const char *text, size_t len, size_t indent)
{
    size_t column = indent;
    const char *end = text + len;

    while (text < end) {
        size_t word = 0;

        while (text < end && (*text == ' ' || *text == '\n'))
            text++;
        while (text + word < end && text[word] != ' ' && text[word] != '\n')
            word++;
        if (word == 0)
            break;
        if (column > indent && column + 1 + word > WIDTH) {
            buf_printf(b, "\n%*s", (int)indent, "");
            column = indent;
        }
        if (column > indent) {
            buf_putc(b, ' ');
            column++;
        }
        buf_add(b, text, word);
        column += word;
        text += word;
    }
    buf_putc(b, '\n');
}

/* Length of the paragraph at text; *next is where the one after it begins. */
static size_t paragraph(const char *text, const char **next)
{
    const char *end = strstr(text, "\n\n");
    size_t len = end ? (size_t)(end - text) : strlen(text);

    *next = text + len;
    while (**next == '\n')
        ++*next;
    return len;
}

static bool any_shown(const struct opt_spec *specs)
{
    for (const struct opt_spec *o = specs; o && o->name; o++)
        if (!o->hidden)
            return true;
    return false;
}

/* The help text with what is allowed behind it, owned. */
static char *full_help(const struct opt_spec *o)
{
    auto_strv struct strv values = {0};

    if (!o->values)
        return mem_strdup(o->help);
    for (const char *const *v = o->values; *v; v++)
        strv_add(&values, *v);
    auto_free char *list = strv_join(&values, ", ");
    return mem_printf("%s (%s)", o->help, list);
}

void opt_help_options(struct buf *b, const struct opt_spec *specs)
{
    for (const struct opt_spec *o = specs; o && o->name; o++) {
        if (o->hidden)
            continue;
        auto_free char *left = left_side(o);
        auto_free char *help = full_help(o);

        if (strlen(left) + 4 > HELP_COLUMN)
            buf_printf(b, "  %s\n%*s", left, HELP_COLUMN, "");
        else
            buf_printf(b, "  %-*s", HELP_COLUMN - 2, left);
        wrap(b, help, strlen(help), HELP_COLUMN);
    }
}

static void paragraphs(struct buf *b, const char *text)
{
    while (text && *text) {
        const char *next;
        size_t len = paragraph(text, &next);

        buf_putc(b, '\n');
        wrap(b, text, len, 0);
        text = next;
    }
}

void opt_help(struct buf *b, const char *program, const struct opt_command *c,
              const struct opt_spec *common)
{
    buf_printf(b, "Usage: %s %s", program, c->name);
    if (any_shown(c->options) || any_shown(common))
        buf_puts(b, " [OPTIONS]");
    if (c->args)
        buf_printf(b, " %s", c->args);
    buf_printf(b, "\n\n%s %s: %s\n", program, c->name, c->summary);
    paragraphs(b, c->details);
    if (any_shown(c->options)) {
        buf_puts(b, "\nOptions:\n");
        opt_help_options(b, c->options);
    }
    if (any_shown(common)) {
        buf_puts(b, "\nCommon options:\n");
        opt_help_options(b, common);
    }
    if (c->examples && c->examples->line)
        buf_puts(b, "\nExamples:\n");
    for (const struct opt_example *x = c->examples; x && x->line; x++) {
        buf_printf(b, "  %s\n", x->line);
        if (x->does)
            buf_printf(b, "      %s\n", x->does);
    }
}

/* Text as roff: no line may begin with a control character, a dash stays a dash. */
static void roff(struct buf *b, const char *text, size_t len)
{
    bool fresh = true;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (fresh && (c == '.' || c == '\''))
            buf_puts(b, "\\&");
        if (c == '\\')
            buf_puts(b, "\\e");
        else if (c == '-')
            buf_puts(b, "\\-");
        else
            buf_putc(b, c);
        fresh = c == '\n';
    }
}

static void roff_text(struct buf *b, const char *text)
{
    roff(b, text, strlen(text));
}

static void roff_paragraphs(struct buf *b, const char *text)
{
    while (text && *text) {
        const char *next;
        size_t len = paragraph(text, &next);

        roff(b, text, len);
        buf_putc(b, '\n');
        text = next;
        if (*text)
            buf_puts(b, ".PP\n");
    }
}

void opt_man_head(struct buf *b, const char *program, const char *version, const char *summary)
{
    auto_free char *title = mem_strdup(program);

    for (char *at = title; *at; at++)
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    buf_printf(b, ".TH %s 1 \"\" \"%s %s\" \"User Commands\"\n.SH NAME\n", title, program, version);
    roff_text(b, program);
    buf_puts(b, " \\- ");
    roff_text(b, summary);
    buf_putc(b, '\n');
}

void opt_man_section(struct buf *b, const char *title, const char *text)
{
    buf_puts(b, ".SH ");
    roff_text(b, title);
    buf_putc(b, '\n');
    roff_paragraphs(b, text);
}

void opt_man_item(struct buf *b, const char *term, const char *text)
{
    buf_puts(b, ".TP\n.B ");
    roff_text(b, term);
    buf_putc(b, '\n');
    roff_text(b, text);
    buf_putc(b, '\n');
}

void opt_man_options(struct buf *b, const struct opt_spec *specs)
{
    for (const struct opt_spec *o = specs; o && o->name; o++) {
        if (o->hidden)
            continue;
        auto_free char *left = left_side(o);
        auto_free char *help = full_help(o);

        opt_man_item(b, left + strspn(left, " "), help);
    }
}

void opt_man_command(struct buf *b, const char *program, const struct opt_command *c)
{
    auto_free char *usage =
        mem_printf("%s %s%s%s%s", program, c->name, any_shown(c->options) ? " [OPTIONS]" : "",
                   c->args ? " " : "", c->args ? c->args : "");

    buf_puts(b, ".SS ");
    roff_text(b, usage);
    buf_putc(b, '\n');
    roff_text(b, c->summary);
    buf_puts(b, ".\n");
    if (c->details) {
        buf_puts(b, ".PP\n");
        roff_paragraphs(b, c->details);
    }
    opt_man_options(b, c->options);
    for (const struct opt_example *x = c->examples; x && x->line; x++) {
        if (x == c->examples)
            buf_puts(b, ".PP\nExamples:\n");
        opt_man_item(b, x->line, x->does ? x->does : "");
    }
}

void opt_words(struct buf *b, const struct opt_spec *specs)
{
    for (const struct opt_spec *o = specs; o && o->name; o++) {
        bool value = o->kind != OPT_FLAG && o->kind != OPT_COUNT;

        if (o->hidden)
            continue;
        buf_printf(b, "--%s%s\n", o->name, value ? "=" : "");
        if (o->letter)
            buf_printf(b, "-%c\n", o->letter);
    }
}

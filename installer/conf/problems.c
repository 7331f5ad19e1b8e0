/* SPDX-License-Identifier: MIT */
#include "conf/problems.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

enum { LINES_MAX = 200 };

void problems_init(struct problems *p, const char *name)
{
    *p = (struct problems){.name = name};
}

void problems_clear(struct problems *p)
{
    strv_clear(&p->lines);
    free(p->places);
    p->places = NULL;
    p->count = 0;
}

/* True when the line is of the same file as the next one and belongs behind it. */
static bool is_behind(const struct problems *p, size_t i, struct problem_place at)
{
    size_t len = p->name ? strlen(p->name) : 0;
    const struct problem_place *other = &p->places[i];

    if (other->line < 0 || at.line < 0 || strncmp(p->lines.items[i], p->name, len) != 0 ||
        p->lines.items[i][len] != ':')
        return false;
    if (other->line == 0 || at.line == 0)
        return other->line == 0 && at.line > 0;
    return other->line > at.line || (other->line == at.line && other->column > at.column);
}

/* Checks run in their own order; people read from top to bottom. */
static void insert(struct problems *p, struct problem_place at, char *line)
{
    size_t i = p->lines.count;

    strv_take(&p->lines, line);
    p->places = mem_grow(p->places, p->lines.count, sizeof(*p->places));
    while (i > 0 && is_behind(p, i - 1, at)) {
        p->lines.items[i] = p->lines.items[i - 1];
        p->places[i] = p->places[i - 1];
        i--;
    }
    p->lines.items[i] = line;
    p->places[i] = at;
}

static void add(struct problems *p, int line, int column, char *sentence)
{
    auto_free char *owned = sentence;

    if (p->count++ >= LINES_MAX)
        return;
    /* Text of the document is quoted in sentences; it must not reach a
     * terminal as control codes. */
    for (char *c = owned; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = '?';
    if (!p->name)
        insert(p, (struct problem_place){-1, 0}, steal(owned));
    else if (line > 0)
        insert(p, (struct problem_place){line, column},
               mem_printf("%s:%d:%d: %s", p->name, line, column, owned));
    else
        insert(p, (struct problem_place){0, 0}, mem_printf("%s: %s", p->name, owned));
}

void problems_add(struct problems *p, const struct node *at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(p, at ? at->line : 0, at ? at->column : 0, mem_vprintf(fmt, ap));
    va_end(ap);
}

void problems_add_key(struct problems *p, const struct node *at, const char *fmt, ...)
{
    bool has_key = at && at->key_line > 0;
    va_list ap;

    va_start(ap, fmt);
    add(p,
        has_key ? at->key_line
        : at    ? at->line
                : 0,
        has_key ? at->key_column
        : at    ? at->column
                : 0,
        mem_vprintf(fmt, ap));
    va_end(ap);
}

void problems_add_err(struct problems *p, const struct err *e)
{
    if (p->count++ < LINES_MAX)
        insert(p, (struct problem_place){-1, 0}, mem_strdup(e->msg));
}

struct problems_part problems_begin(struct problems *p, const char *name)
{
    struct problems_part part = {p->name, p->count};

    p->name = name;
    return part;
}

bool problems_end(struct problems *p, const struct problems_part *part)
{
    p->name = part->name;
    return p->count == part->count;
}

int problems_result(const struct problems *p, struct err *e)
{
    if (p->count == 0)
        return 0;
    auto_buf struct buf text;
    buf_init(&text, ERR_MSG_MAX * 2);
    size_t shown = 0;
    /* Room is kept for the line that says how many more there are. */
    while (shown < p->lines.count && text.len + strlen(p->lines.items[shown]) + 40 < ERR_MSG_MAX) {
        buf_printf(&text, "%s%s", shown ? "\n" : "", p->lines.items[shown]);
        shown++;
    }
    if (shown == 0)
        buf_printf(&text, "%.*s", ERR_MSG_MAX - 60, p->lines.items[shown++]);
    if (shown < p->count)
        buf_printf(&text, "\n... and %zu more", p->count - shown);
    return err_set(e, ERR_CONFIG, "%s", buf_str(&text));
}

/* SPDX-License-Identifier: MIT */
#include "base/strv.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    WORD_MAX = 64, /* longer words get no hint */
    SHORT = 5      /* letters; shorter ones are near to too much */
};

void strv_clear(struct strv *v)
{
    for (size_t i = 0; i < v->count; i++)
        free(v->items[i]);
    free(v->items);
    *v = (struct strv){0};
}

void strv_take(struct strv *v, char *s)
{
    /* Capacity is the next power of two: grows when count + 1 reaches one. */
    if (v->count == 0 || ((v->count + 1) & v->count) == 0)
        v->items = mem_grow(v->items, (v->count + 1) * 2, sizeof(*v->items));
    v->items[v->count++] = s;
    v->items[v->count] = NULL;
}

void strv_add(struct strv *v, const char *s)
{
    strv_take(v, mem_strdup(s));
}

struct strv strv_copy(const char *const *texts)
{
    struct strv v = {0};

    for (; *texts; texts++)
        strv_add(&v, *texts);
    return v;
}

void strv_addf(struct strv *v, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    strv_take(v, mem_vprintf(fmt, ap));
    va_end(ap);
}

void strv_add_all(struct strv *v, const struct strv *from)
{
    for (size_t i = 0, n = from->count; i < n; i++)
        strv_add(v, from->items[i]);
}

bool strv_has(const struct strv *v, const char *s)
{
    for (size_t i = 0; i < v->count; i++)
        if (strcmp(v->items[i], s) == 0)
            return true;
    return false;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(struct strv *v)
{
    if (v->count > 1)
        qsort(v->items, v->count, sizeof(*v->items), compare);
}

void strv_split(struct strv *v, const char *text, const char *seps)
{
    while (*(text += strspn(text, seps))) {
        size_t len = strcspn(text, seps);

        strv_take(v, mem_strndup(text, len));
        text += len;
    }
}

char *strv_join(const struct strv *v, const char *sep)
{
    size_t len = 1, gap = strlen(sep);

    for (size_t i = 0; i < v->count; i++)
        len += strlen(v->items[i]) + (i ? gap : 0);
    char *text = mem_alloc(len), *at = text;
    for (size_t i = 0; i < v->count; i++) {
        if (i)
            at = mempcpy(at, sep, gap);
        at = mempcpy(at, v->items[i], strlen(v->items[i]));
    }
    return text;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

/* Edits (insert, delete, replace, swap of neighbours) from a to b; both at most WORD_MAX long. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *now = rows[2];
    size_t la = strlen(a), lb = strlen(b);

    memset(rows, 0, sizeof(rows));
    for (size_t j = 0; j <= lb; j++)
        last[j] = j;
    for (size_t i = 1; i <= la; i++) {
        now[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[lb];
}

static const char *nearest(const struct strv *v, const char *word)
{
    const char *letters = word + strspn(word, "-"), *found = NULL;
    size_t len = strlen(letters), best = (len < 3 ? 1 : len / 3) + 1;

    if (len == 0 || strlen(word) > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < v->count; i++) {
        const char *item = v->items[i];
        size_t d;

        if (strlen(item) > WORD_MAX || (len < SHORT && item[strspn(item, "-")] != *letters))
            continue;
        d = distance(word, item);
        if (d < best) {
            best = d;
            found = item;
        }
    }
    return found;
}

char *strv_hint(const struct strv *known, const char *word)
{
    const char *near = nearest(known, word);

    return near ? mem_printf(" (did you mean %s?)", near) : mem_strdup("");
}

/* SPDX-License-Identifier: MIT */
#include "env/selector.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "env/instances.h"
#include "env/status.h"

static const char *const healths[] = {"healthy", "unhealthy", "unknown"};
static const char key_health[] = "health=";

/* ---- parsing ---- */

static int parse_health(const char *value, size_t column, struct err *e)
{
    auto_strv struct strv known = {0};
    auto_free char *hint = NULL;

    for (size_t i = 0; i < ARRAY_LEN(healths); i++) {
        if (strcmp(value, healths[i]) == 0)
            return 0;
        strv_add(&known, healths[i]);
    }
    hint = strv_hint(&known, value);
    return err_set(e, ERR_USAGE,
                   "selector, column %zu: health is healthy, unhealthy or unknown, not \"%.60s\"%s",
                   column, value, hint);
}

static int refuse_bytes(const char *term, size_t column, struct err *e)
{
    for (const unsigned char *p = (const unsigned char *)term; *p; p++)
        if (*p <= ' ' || *p == 0x7f)
            return err_set(e, ERR_USAGE,
                           "selector, column %zu: a blank or control character; terms have commas "
                           "between them and nothing else",
                           column + (size_t)((const char *)p - term));
    return 0;
}

static int parse_term(struct selector_term *t, const char *term, size_t column, struct err *e)
{
    size_t key = sizeof(key_health) - 1;
    const char *text = term;

    if (!*term)
        return err_set(e, ERR_USAGE,
                       "selector, column %zu: a term is missing; say `all`, an instance, a "
                       "component, a pattern or health=unhealthy",
                       column);
    if (refuse_bytes(term, column, e) < 0)
        return -1;
    if (strcmp(term, "all") == 0) {
        t->kind = SELECTOR_KIND_ALL;
    } else if (strncmp(term, key_health, key) == 0) {
        t->kind = SELECTOR_KIND_HEALTH;
        text = term + key;
        if (parse_health(text, column + key, e) < 0)
            return -1;
    } else if (strchr(term, '=')) {
        return err_set(e, ERR_USAGE,
                       "selector, column %zu: %.*s= is unknown; there is health=", column,
                       (int)strcspn(term, "="), term);
    } else {
        t->kind = strpbrk(term, "*?[") ? SELECTOR_KIND_PATTERN : SELECTOR_KIND_WORD;
    }
    t->text = mem_strdup(text);
    return 0;
}

int selector_parse(struct selector *s, const char *text, struct err *e)
{
    const char *from = text;

    *s = (struct selector){0};
    if (strlen(text) > SELECTOR_MAX_LEN)
        return err_set(e, ERR_USAGE, "selector: longer than %d bytes", SELECTOR_MAX_LEN);
    for (;;) {
        size_t len = strcspn(from, ",");
        auto_free char *term = mem_strndup(from, len);

        if (s->count == SELECTOR_MAX_TERMS)
            return err_set(e, ERR_USAGE, "selector: more than %d terms", SELECTOR_MAX_TERMS);
        s->terms = mem_grow(s->terms, s->count + 1, sizeof(*s->terms));
        s->terms[s->count++] = (struct selector_term){0};
        if (parse_term(&s->terms[s->count - 1], term, (size_t)(from - text) + 1, e) < 0)
            return -1;
        if (!from[len])
            return 0;
        from += len + 1;
    }
}

char *selector_format(const struct selector *s)
{
    struct buf b;

    buf_init(&b, SELECTOR_MAX_LEN + 1);
    for (size_t i = 0; i < s->count; i++) {
        if (i)
            buf_putc(&b, ',');
        if (s->terms[i].kind == SELECTOR_KIND_HEALTH)
            buf_puts(&b, key_health);
        buf_puts(&b, s->terms[i].text);
    }
    return buf_take(&b);
}

void selector_clear(struct selector *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->terms[i].text);
    free(s->terms);
    *s = (struct selector){0};
}

/* ---- finding ---- */

struct find {
    struct strv all, found;
    struct node *status; /* read when the first term asks for it */
};

static void add_once(struct find *f, const char *name)
{
    if (!strv_has(&f->found, name))
        strv_add(&f->found, name);
}

static int add_word(struct find *f, const struct env *env, const char *word, struct err *e)
{
    auto_strv struct strv names = {0}, words = strv_of(word);

    if (instances_select(&names, env, &words, 0, e) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        add_once(f, names.items[i]);
    return 0;
}

static void add_pattern(struct find *f, const char *pattern)
{
    for (size_t i = 0; i < f->all.count; i++)
        if (fnmatch(pattern, f->all.items[i], 0) == 0)
            add_once(f, f->all.items[i]);
}

static int add_health(struct find *f, struct env *env, const char *health, struct err *e)
{
    const struct node *row;

    if (!f->status && status_read(&f->status, env, e) < 0)
        return -1;
    node_for_each (row, node_get(f->status, "instances")) {
        const char *name = node_get_text(row, "instance"), *is = node_get_text(row, "health");

        if (name && is && strcmp(is, health) == 0 && strv_has(&f->all, name))
            add_once(f, name);
    }
    return 0;
}

static int add_term(struct find *f, struct env *env, const struct selector_term *t, struct err *e)
{
    switch (t->kind) {
    case SELECTOR_KIND_WORD:
        return add_word(f, env, t->text, e);
    case SELECTOR_KIND_HEALTH:
        return add_health(f, env, t->text, e);
    case SELECTOR_KIND_PATTERN:
        add_pattern(f, t->text);
        return 0;
    case SELECTOR_KIND_ALL:
        break;
    }
    for (size_t i = 0; i < f->all.count; i++)
        add_once(f, f->all.items[i]);
    return 0;
}

int selector_find(struct strv *out, struct env *env, const struct selector *s, struct err *e)
{
    struct find f = {0};
    int r = instances_select(&f.all, env, &(struct strv){0}, 0, e);

    for (size_t i = 0; r == 0 && i < s->count; i++)
        r = add_term(&f, env, &s->terms[i], e);
    if (r == 0 && f.found.count == 0) {
        auto_free char *text = selector_format(s);

        r = err_set(e, ERR_NOTFOUND, "no instance of %s matches %s", env->name, text);
    }
    if (r == 0) {
        instances_sort(&f.found);
        strv_add_all(out, &f.found);
    }
    strv_clear(&f.all);
    strv_clear(&f.found);
    node_free(f.status);
    return r;
}

int selector_names(struct strv *out, struct env *env, const char *text, struct err *e)
{
    struct selector s;
    int r = selector_parse(&s, text ? text : "all", e);

    if (r == 0)
        r = selector_find(out, env, &s, e);
    selector_clear(&s);
    return r;
}

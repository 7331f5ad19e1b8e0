/* SPDX-License-Identifier: MIT */
#include "check/pick.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char *known_name(const struct strv *known, const char *name)
{
    for (size_t i = 0; i < known->count; i++)
        if (strcmp(known->items[i], name) == 0)
            return known->items[i];
    return NULL;
}

static struct check_pick *pick(struct check_picks *p, const char *module)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->items[i].module, module) == 0)
            return &p->items[i];
    p->items = mem_grow(p->items, p->count + 1, sizeof(*p->items));
    p->items[p->count] = (struct check_pick){.module = module};
    return &p->items[p->count++];
}

int check_picks_parse(struct check_picks *out, const struct strv *words, const struct strv *known,
                      struct err *e)
{
    struct check_pick *last = NULL;

    *out = (struct check_picks){0};
    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->items[i], *dot = strchr(word, '.');
        auto_free char *front = mem_strndup(word, dot ? (size_t)(dot - word) : strlen(word));
        const char *module = known_name(known, front);

        if (module) {
            last = pick(out, module);
            if (dot)
                strv_add(&last->tests, dot + 1);
        } else if (last) {
            strv_add(&last->tests, word);
        } else {
            auto_free char *list = strv_join(known, ", ");

            check_picks_clear(out);
            return err_set(e, ERR_USAGE, "there is no check %s here; there are: %s", word, list);
        }
    }
    return 0;
}

void check_picks_clear(struct check_picks *p)
{
    for (size_t i = 0; i < p->count; i++)
        strv_clear(&p->items[i].tests);
    free(p->items);
    *p = (struct check_picks){0};
}

const struct check_pick *check_picks_find(const struct check_picks *p, const char *module)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->items[i].module, module) == 0)
            return &p->items[i];
    return NULL;
}

bool check_pick_means(const char *word, const char *test, const char *code)
{
    const char *dot = strchr(code, '.');

    return strcmp(word, test) == 0 || strcmp(word, code) == 0 ||
           (dot && strcmp(word, dot + 1) == 0);
}

bool check_pick_has(const struct check_pick *p, const char *test, const char *code)
{
    if (!p || p->tests.count == 0)
        return true;
    for (size_t i = 0; i < p->tests.count; i++)
        if (check_pick_means(p->tests.items[i], test, code))
            return true;
    return false;
}

/* SPDX-License-Identifier: MIT */
#include "cmd/instances.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/connect.h"
#include "plan/world.h"

enum { ID_MIN = 4 }; /* digits of an id that are no accident */

static int compare(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

void instances_sort(struct strv *names)
{
    if (names->count > 1)
        qsort(names->items, names->count, sizeof(char *), compare);
}

void instances_all(struct strv *out, const struct cmd_context *x)
{
    const struct node *c;

    node_for_each (c, x->containers) {
        const char *name = connect_label(c, LABEL_INSTANCE);

        if (name && !connect_is_aside(c) && !strv_has(out, name))
            strv_add(out, name);
    }
    instances_sort(out);
}

/* Everything of one component, or the one instance; how many were found. */
static size_t add_matching(struct strv *out, const struct cmd_context *x, const char *word)
{
    size_t found = 0;
    const struct node *c;

    node_for_each (c, x->containers) {
        const char *name = connect_label(c, LABEL_INSTANCE);
        const char *component = connect_label(c, LABEL_COMPONENT);

        if (!name || connect_is_aside(c) ||
            (strcmp(name, word) != 0 && (!component || strcmp(component, word) != 0)))
            continue;
        found++;
        if (!strv_has(out, name))
            strv_add(out, name);
    }
    return found;
}

int instances_unknown(const struct cmd_context *x, const char *word, const struct strv *known,
                      struct err *e)
{
    auto_strv struct strv all = {0};
    const char *near;

    if (known)
        strv_add_all(&all, known);
    else
        instances_all(&all, x);
    near = strv_nearest(&all, word);
    return err_set(e, ERR_NOTFOUND, "%s has no instance %s%s%s%s%s", x->env,
                   known ? "" : "or component ", word, near ? " (did you mean " : "",
                   near ? near : "", near ? "?)" : "");
}

int instances_select(struct strv *out, const struct cmd_context *x, const struct strv *words,
                     size_t first, struct err *e)
{
    if (words->count <= first)
        instances_all(out, x);
    for (size_t i = first; i < words->count; i++)
        if (add_matching(out, x, words->items[i]) == 0)
            return instances_unknown(x, words->items[i], NULL, e);
    instances_sort(out);
    if (out->count == 0)
        return err_set(e, ERR_NOTFOUND, "%s has no containers", x->env);
    return 0;
}

int instances_container(const char **id, const struct cmd_context *x, const char *instance,
                        struct err *e)
{
    const struct node *c = connect_find(x->containers, instance);

    *id = c ? node_get_text(c, "Id") : NULL;
    return *id ? 0 : instances_unknown(x, instance, NULL, e);
}

/* A container's name as Docker has it, without the slash. */
static bool has_name(const struct node *c, const char *word)
{
    const struct node *names = node_get(c, "Names"), *n;

    node_for_each (n, names) {
        if (n->text && n->text[0] == '/' && strcmp(n->text + 1, word) == 0)
            return true;
    }
    return false;
}

int instances_find(const struct node **out, const struct cmd_context *x, const char *word,
                   struct err *e)
{
    size_t len = strlen(word), found = 0;
    const struct node *c;

    *out = connect_find(x->containers, word);
    if (*out)
        return 0;
    node_for_each (c, x->containers) {
        const char *id = node_get_text(c, "Id");

        if (!connect_label(c, LABEL_INSTANCE))
            continue;
        if (!has_name(c, word) && (len < ID_MIN || !id || strncmp(id, word, len) != 0))
            continue;
        found++;
        *out = c;
    }
    if (found < 2)
        return 0;
    *out = NULL;
    return err_set(e, ERR_USAGE, "%zu containers have an id that begins with %s", found, word);
}

const char *instances_state(const struct cmd_context *x, const char *instance)
{
    const struct node *c = connect_find(x->containers, instance);

    return c ? world_state(c) : "missing";
}

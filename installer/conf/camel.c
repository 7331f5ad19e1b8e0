/* SPDX-License-Identifier: MIT */
#include "conf/camel.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Owned. */
static char *to_camel(const char *key)
{
    char *name = mem_strdup(key), *to = name;

    for (const char *from = key; *from; from++) {
        if (*from == '_' && to > name && isalnum((unsigned char)from[1]))
            *to++ = (char)toupper((unsigned char)*++from);
        else
            *to++ = *from;
    }
    *to = '\0';
    return name;
}

/* Owned. */
static char *to_snake(const char *key)
{
    char *name = mem_alloc(2 * strlen(key) + 1), *to = name;

    for (const char *from = key; *from; from++) {
        if (isupper((unsigned char)*from) && to > name)
            *to++ = '_';
        *to = (char)(to > name ? tolower((unsigned char)*from) : *from);
        to++;
    }
    return name;
}

static bool is_one_of(const struct node *n, const char *const *names)
{
    for (; n->key && *names; names++)
        if (strcmp(n->key, *names) == 0)
            return true;
    return false;
}

static void rename_all(struct node *n, char *(*rename)(const char *key))
{
    static const char *const theirs[] = {"value",   "old",    "new",      "given",
                                         "default", "schema", "document", NULL};
    static const char *const named[] = {"snapshots", NULL};
    bool stay = is_one_of(n, named);
    struct node *child;

    if (is_one_of(n, theirs))
        return;
    node_for_each (child, n) {
        if (child->key && !stay) {
            char *name = rename(child->key);

            free(child->key);
            child->key = name;
        }
        rename_all(child, rename);
    }
}

void camel_names(struct node *n)
{
    rename_all(n, to_camel);
}

void camel_undo(struct node *n)
{
    rename_all(n, to_snake);
}

/* SPDX-License-Identifier: MIT */
#include "env/instances.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/object.h"
#include "plan/observed.h"

enum { ID_MIN = 4 }; /* digits of an id that are not an accident */

/* What words are looked for in: names, and of each its component. */
struct known {
    struct strv names, components;
};

static void known_add(struct known *k, const char *name, const char *component)
{
    strv_add(&k->names, name);
    strv_add(&k->components, component ? component : "");
}

static void known_containers(struct known *k, const struct env *env)
{
    const struct node *c;

    node_for_each (c, env->containers) {
        const char *name = object_label(c, LABEL_INSTANCE);

        if (name && !object_is_aside(c))
            known_add(k, name, object_label(c, LABEL_COMPONENT));
    }
}

static void known_clear(struct known *k)
{
    strv_clear(&k->names);
    strv_clear(&k->components);
}

static int compare(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

void instances_sort(struct strv *names)
{
    if (names->count > 1)
        qsort(names->items, names->count, sizeof(char *), compare);
}

static void add_once(struct strv *out, const char *name)
{
    if (!strv_has(out, name))
        strv_add(out, name);
}

void instances_all(struct strv *out, const struct env *env)
{
    struct known k = {0};

    known_containers(&k, env);
    for (size_t i = 0; i < k.names.count; i++)
        add_once(out, k.names.items[i]);
    instances_sort(out);
    known_clear(&k);
}

/* ---- one word ---- */

static int down(const struct env *env, struct err *e)
{
    return err_set(e, ERR_NOTFOUND, "%s is down: it has no containers; `slipway up` starts it",
                   env->name);
}

static int unknown(const struct env *env, const struct strv *known, const char *word,
                   const char *what, struct err *e)
{
    auto_free char *hint = strv_hint(known, word);

    if (known->count == 0)
        return down(env, e);
    return err_set(e, ERR_NOTFOUND, "%s has no %s %s%s", env->name, what, word, hint);
}

/* "osd-1" and "ceph-os" of "ceph-osd-1"; "ceph-osd-1" of "ceph-osd-10" would be another instance,
 * and a number alone is too little. */
static bool abbreviates(const char *word, const char *name)
{
    size_t len = strlen(word), full = strlen(name);

    if (len == 0 || len >= full)
        return false;
    if (strncmp(name, word, len) == 0)
        return !(isdigit((unsigned char)word[len - 1]) && isdigit((unsigned char)name[len]));
    return name[full - len - 1] == '-' && strcmp(name + full - len, word) == 0 &&
           strspn(word, "0123456789") < len;
}

static const char *among(const struct strv *known, const char *word)
{
    for (size_t i = 0; i < known->count; i++)
        if (strcmp(known->items[i], word) == 0)
            return known->items[i];
    return NULL;
}

static const char *by_container_name(const struct env *env, const struct strv *known,
                                     const char *word)
{
    size_t len = strlen(env->name);

    return strncmp(word, env->name, len) == 0 && word[len] == '-' ? among(known, word + len + 1)
                                                                  : NULL;
}

static int by_id(const char **name, const struct env *env, const struct strv *known,
                 const char *word, struct err *e)
{
    size_t len = strlen(word), found = 0;
    const struct node *c;

    *name = NULL;
    node_for_each (c, env->containers) {
        const char *id = node_get_text(c, "Id"), *instance = object_label(c, LABEL_INSTANCE);

        if (!instance || !id || len < ID_MIN || strncmp(id, word, len) != 0)
            continue;
        found++;
        *name = among(known, instance);
    }
    return found < 2 ? 0
                     : err_set(e, ERR_USAGE, "%zu containers have an id that begins with %s", found,
                               word);
}

static int by_abbreviation(const char **name, const struct strv *known, const char *word,
                           struct err *e)
{
    auto_strv struct strv found = {0};
    auto_free char *list = NULL;

    *name = NULL;
    for (size_t i = 0; i < known->count; i++)
        if (abbreviates(word, known->items[i])) {
            *name = known->items[i];
            add_once(&found, known->items[i]);
        }
    if (found.count < 2)
        return 0;
    instances_sort(&found);
    list = strv_join(&found, ", ");
    return err_set(e, ERR_USAGE, "%s may be any of %s", word, list);
}

/* *name NULL: none. */
static int find(const char **name, const struct env *env, const struct strv *known,
                const char *word, struct err *e)
{
    *name = among(known, word);
    if (!*name)
        *name = by_container_name(env, known, word);
    if (!*name && by_id(name, env, known, word, e) < 0)
        return -1;
    return *name ? 0 : by_abbreviation(name, known, word, e);
}

int instances_name(const char **name, const struct env *env, const struct strv *known,
                   const char *word, struct err *e)
{
    if (find(name, env, known, word, e) < 0)
        return -1;
    return *name ? 0 : unknown(env, known, word, "instance", e);
}

/* ---- several words ---- */

/* Everything of one component, or the one instance. */
static int add_matching(struct strv *out, const struct env *env, const struct known *k,
                        const char *word, struct err *e)
{
    const char *name;
    bool found = false;

    for (size_t i = 0; i < k->names.count; i++)
        if (strcmp(k->components.items[i], word) == 0) {
            add_once(out, k->names.items[i]);
            found = true;
        }
    if (found)
        return 0;
    if (find(&name, env, &k->names, word, e) < 0)
        return -1;
    if (!name)
        return unknown(env, &k->names, word, "instance or component", e);
    add_once(out, name);
    return 0;
}

static int select_words(struct strv *out, const struct env *env, const struct known *k,
                        const struct strv *words, size_t first, struct err *e)
{
    if (k->names.count == 0)
        return down(env, e);
    for (size_t i = 0; words->count <= first && i < k->names.count; i++)
        add_once(out, k->names.items[i]);
    for (size_t i = first; i < words->count; i++)
        if (add_matching(out, env, k, words->items[i], e) < 0)
            return -1;
    instances_sort(out);
    return 0;
}

int instances_select(struct strv *out, const struct env *env, const struct strv *words,
                     size_t first, struct err *e)
{
    struct known k = {0};
    int r;

    known_containers(&k, env);
    r = select_words(out, env, &k, words, first, e);
    known_clear(&k);
    return r;
}

int instances_select_rows(struct strv *out, const struct env *env, const struct node *rows,
                          const struct strv *words, struct err *e)
{
    struct known k = {0};
    const struct node *row;
    int r;

    node_for_each (row, rows) {
        known_add(&k, node_get_text(row, "instance"), node_get_text(row, "component"));
    }
    r = select_words(out, env, &k, words, 0, e);
    known_clear(&k);
    return r;
}

/* ---- containers ---- */

int instances_container(const char **name, const char **id, const struct env *env, const char *word,
                        struct err *e)
{
    auto_strv struct strv known = {0};
    const struct node *c;
    const char *found;

    instances_all(&known, env);
    if (instances_name(&found, env, &known, word, e) < 0)
        return -1;
    c = object_find_instance(env->containers, found);
    if (name)
        *name = object_label(c, LABEL_INSTANCE);
    *id = node_get_text(c, "Id");
    return 0;
}

int instances_running(const char **name, const char **id, const struct env *env, const char *word,
                      struct err *e)
{
    const char *found;

    if (instances_container(&found, id, env, word, e) < 0)
        return -1;
    if (name)
        *name = found;
    if (strcmp(instances_state(env, found), "running") == 0)
        return 0;
    return err_set(e, ERR_CONFLICT, "%s does not run (%s)", found, instances_state(env, found));
}

const char *instances_state(const struct env *env, const char *instance)
{
    const struct node *c = object_find_instance(env->containers, instance);

    return c ? observed_state(c) : "missing";
}

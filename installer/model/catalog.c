/* SPDX-License-Identifier: MIT */
#include "model/catalog.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "crypto/crypto.h"

enum { FILE_MAX = 1 << 20, NESTING_MAX = 4 };

const struct manifest *catalog_find(const struct catalog *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->items[i]->name, name) == 0)
            return c->items[i];
    return NULL;
}

void catalog_names(const struct catalog *c, struct strv *out)
{
    for (size_t i = 0; i < c->count; i++)
        strv_add(out, c->items[i]->name);
}

void catalog_free(struct catalog *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++)
        manifest_free(c->items[i]);
    free(c->items);
    free(c);
}

static void load_folder(struct catalog *c, const char *folder, struct problems *p)
{
    auto_free char *file = fs_join(folder, "component.yaml");
    if (!fs_exists(file))
        return;
    struct manifest *m = manifest_load(folder, p);
    if (!m)
        return;
    const struct manifest *other = catalog_find(c, m->name);
    if (other) {
        problems_add(p, NULL, "component %s is in %s and in %s", m->name, other->dir, folder);
        manifest_free(m);
        return;
    }
    c->items = mem_grow(c->items, c->count + 1, sizeof(struct manifest *));
    c->items[c->count++] = m;
}

static void load_dir(struct catalog *c, const char *dir, struct problems *p)
{
    struct strv auto_strv names = {0};
    struct err e = {0};
    if (fs_list(&names, dir, &e) < 0) {
        problems_add_err(p, &e);
        return;
    }
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *folder = fs_join(dir, names.items[i]);
        load_folder(c, folder, p);
    }
}

static void check_names(const struct catalog *c, const struct manifest *m, struct problems *p)
{
    for (size_t i = 0; i < m->requires.count; i++)
        if (!catalog_find(c, m->requires.items[i]))
            problems_add(p, NULL, "requires: no component is named %s", m->requires.items[i]);
    for (size_t i = 0; i < m->shared_count; i++)
        if (m->shared[i].component && !catalog_find(c, m->shared[i].component))
            problems_add(p, NULL, "shared: %s: no component is named %s", m->shared[i].name,
                         m->shared[i].component);
}

/* Depth first over `requires`; `path` holds the names from the start. True when a ring was found.
 */
static bool find_ring(const struct catalog *c, const struct manifest *m, struct strv *path,
                      struct strv *done, struct problems *p)
{
    if (strv_has(done, m->name))
        return false;
    bool ring = strv_has(path, m->name);
    strv_add(path, m->name);
    if (ring) {
        size_t first = 0;
        while (strcmp(path->items[first], m->name) != 0)
            first++;
        struct strv auto_strv part = {0};
        for (size_t i = first; i < path->count; i++)
            strv_add(&part, path->items[i]);
        auto_free char *text = strv_join(&part, " -> ");
        problems_add(p, NULL, "requires goes round in a ring: %s", text);
        return true;
    }
    for (size_t i = 0; i < m->requires.count; i++) {
        const struct manifest *next = catalog_find(c, m->requires.items[i]);
        if (next && find_ring(c, next, path, done, p))
            return true;
    }
    free(path->items[--path->count]);
    path->items[path->count] = NULL;
    strv_add(done, m->name);
    return false;
}

static int by_name(const void *a, const void *b)
{
    const struct manifest *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

void catalog_check(struct catalog *c, struct problems *p)
{
    const char *name = p->name;
    if (c->count > 0)
        qsort(c->items, c->count, sizeof(struct manifest *), by_name);
    for (size_t i = 0; i < c->count; i++) {
        auto_free char *file = c->items[i]->dir ? fs_join(c->items[i]->dir, "component.yaml")
                                                : mem_strdup(c->items[i]->name);
        p->name = file;
        check_names(c, c->items[i], p);
    }
    p->name = name;
    struct strv auto_strv done = {0};
    bool ring = false;
    for (size_t i = 0; i < c->count && !ring; i++) {
        struct strv auto_strv path = {0};
        ring = find_ring(c, c->items[i], &path, &done, p);
    }
}

int catalog_load(struct catalog **out, const char *const *dirs, size_t dir_count,
                 struct problems *p)
{
    size_t before = p->count;
    struct catalog *c = mem_alloc(sizeof(*c));
    *out = NULL;
    for (size_t i = 0; i < dir_count; i++)
        load_dir(c, dirs[i], p);
    /* A manifest that did not decode would only look like one that is missing. */
    if (p->count == before)
        catalog_check(c, p);
    if (p->count > before) {
        catalog_free(c);
        return -1;
    }
    *out = c;
    return 0;
}

/* Name, kind and content of one entry of a folder; what cannot be read counts as empty. */
static void hash_entry(struct crypto_hash *h, const char *path, const char *name, int nesting)
{
    struct stat st;
    if (lstat(path, &st) < 0 || nesting > NESTING_MAX)
        return;
    bool directory = S_ISDIR(st.st_mode);
    char kind = directory ? 'd' : (st.st_mode & S_IXUSR) ? 'x' : 'f';
    crypto_hash_add(h, name, strlen(name) + 1);
    crypto_hash_add(h, &kind, 1);
    struct err e = {0};
    if (directory) {
        struct strv auto_strv names = {0};
        if (fs_list(&names, path, &e) < 0)
            return;
        for (size_t i = 0; i < names.count; i++) {
            auto_free char *inner = fs_join(path, names.items[i]);
            hash_entry(h, inner, names.items[i], nesting + 1);
        }
        crypto_hash_add(h, "", 1);
        return;
    }
    auto_free char *text = NULL;
    size_t len = 0;
    char digest[CRYPTO_HEX_LEN] = "";
    if (S_ISREG(st.st_mode) && fs_read(&text, &len, path, FILE_MAX, &e) == 0)
        crypto_sha256_hex(digest, text, len);
    crypto_hash_add(h, digest, sizeof(digest));
}

void catalog_version(const struct catalog *c, char out[65])
{
    static const char *const parts[] = {"component.yaml", "hooks", "templates", "Dockerfile"};
    struct crypto_hash *h = crypto_hash_new();
    for (size_t i = 0; i < c->count; i++) {
        crypto_hash_add(h, c->items[i]->name, strlen(c->items[i]->name) + 1);
        for (size_t k = 0; c->items[i]->dir && k < ARRAY_LEN(parts); k++) {
            auto_free char *path = fs_join(c->items[i]->dir, parts[k]);
            hash_entry(h, path, parts[k], 0);
        }
    }
    crypto_hash_hex(h, out);
}

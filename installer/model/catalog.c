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
    strv_clear(&c->broken);
    free(c->items);
    free(c);
}

bool catalog_is_broken(const struct catalog *c, const char *name)
{
    return strv_has(&c->broken, name);
}

static void add_broken(struct catalog *c, const char *name)
{
    if (!catalog_is_broken(c, name))
        strv_add(&c->broken, name);
}

static void add_all_broken(struct catalog *c, const struct strv *names)
{
    for (size_t i = 0; i < names->count; i++)
        add_broken(c, names->items[i]);
}

static void load_folder(struct catalog *c, const char *folder, struct problems *p)
{
    auto_free char *file = fs_join(folder, "component.yaml");

    if (!fs_exists(file))
        return;
    struct manifest *m = manifest_load(folder, p);
    if (!m) {
        add_broken(c, fs_basename(folder));
        return;
    }
    const struct manifest *other = catalog_find(c, m->name);
    if (other) {
        problems_add(p, NULL, "component %s is in %s and in %s", m->name, other->dir, folder);
        add_broken(c, m->name);
        manifest_free(m);
        return;
    }
    c->items = mem_grow(c->items, c->count + 1, sizeof(struct manifest *));
    c->items[c->count++] = m;
}

static bool load_dir(struct catalog *c, const char *dir, struct problems *p)
{
    auto_strv struct strv names = {0};
    struct err e = {0};

    if (fs_list(&names, dir, &e) < 0) {
        problems_add_err(p, &e);
        return false;
    }
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *folder = fs_join(dir, names.items[i]);

        load_folder(c, folder, p);
    }
    return true;
}

/* A manifest that did not decode only looks like one that is missing. */
static void check_names(const struct catalog *c, const struct manifest *m, struct problems *p)
{
    for (size_t i = 0; i < m->requires.count; i++)
        if (!catalog_find(c, m->requires.items[i]) && !catalog_is_broken(c, m->requires.items[i]))
            problems_add(p, NULL, "requires: no component is named %s", m->requires.items[i]);
    for (size_t i = 0; i < m->shared_count; i++)
        if (m->shared[i].component && !catalog_find(c, m->shared[i].component) &&
            !catalog_is_broken(c, m->shared[i].component))
            problems_add(p, NULL, "shared: %s: no component is named %s", m->shared[i].name,
                         m->shared[i].component);
}

/* Where a problem of a manifest is, owned. */
static char *file_of(const struct manifest *m)
{
    return m->dir ? fs_join(m->dir, "component.yaml") : mem_strdup(m->name);
}

/* Depth first over `requires`; `path` holds the names from the start, and those of the ring alone
 * when one was found: then true. */
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
        auto_strv struct strv part = {0};
        for (size_t i = first; i < path->count; i++)
            strv_add(&part, path->items[i]);
        auto_free char *text = strv_join(&part, " -> ");
        auto_free char *file = file_of(m);
        const struct problems_part named = problems_begin(p, file);

        problems_add(p, NULL, "requires goes round in a ring: %s", text);
        problems_end(p, &named);
        strv_clear(path);
        strv_add_all(path, &part);
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

/* Whether a component needs one that is broken: it is of no use either. */
static bool needs_broken(const struct catalog *c, const struct manifest *m)
{
    for (size_t i = 0; i < m->requires.count; i++)
        if (catalog_is_broken(c, m->requires.items[i]))
            return true;
    for (size_t i = 0; i < m->shared_count; i++)
        if (m->shared[i].component && catalog_is_broken(c, m->shared[i].component))
            return true;
    return catalog_is_broken(c, m->name);
}

/* Also what needs them, until nothing more falls. */
static void take_out_broken(struct catalog *c)
{
    for (size_t i = 0; i < c->count;) {
        if (!needs_broken(c, c->items[i])) {
            i++;
            continue;
        }
        add_broken(c, c->items[i]->name);
        manifest_free(c->items[i]);
        memmove(c->items + i, c->items + i + 1, (--c->count - i) * sizeof(*c->items));
        i = 0;
    }
}

/* Adds the names of the components that name others which are not there. */
static void check_all_names(const struct catalog *c, struct strv *broken, struct problems *p)
{
    for (size_t i = 0; i < c->count; i++) {
        auto_free char *file = file_of(c->items[i]);
        const struct problems_part part = problems_begin(p, file);

        check_names(c, c->items[i], p);
        if (!problems_end(p, &part))
            strv_add(broken, c->items[i]->name);
    }
}

/* The first ring only; true when there was one. */
static bool check_rings(const struct catalog *c, struct strv *broken, struct problems *p)
{
    auto_strv struct strv done = {0};

    for (size_t i = 0; i < c->count; i++) {
        auto_strv struct strv path = {0};

        if (find_ring(c, c->items[i], &path, &done, p)) {
            strv_add_all(broken, &path);
            return true;
        }
    }
    return false;
}

void catalog_check(struct catalog *c, struct problems *p)
{
    auto_strv struct strv broken = {0};

    if (c->count > 0)
        qsort(c->items, c->count, sizeof(struct manifest *), by_name);
    check_all_names(c, &broken, p);
    add_all_broken(c, &broken);
    take_out_broken(c);
    /* Once a ring is out, the next one is found. */
    while (check_rings(c, &broken, p)) {
        add_all_broken(c, &broken);
        take_out_broken(c);
    }
}

int catalog_load(struct catalog **out, const char *const *dirs, size_t dir_count,
                 struct problems *p)
{
    size_t before = p->count;
    struct catalog *c = mem_alloc(sizeof(*c));
    bool readable = true;

    *out = NULL;
    for (size_t i = 0; i < dir_count; i++)
        readable = load_dir(c, dirs[i], p) && readable;
    catalog_check(c, p);
    if (readable)
        *out = c;
    else
        catalog_free(c);
    return p->count > before ? -1 : 0;
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
        auto_strv struct strv names = {0};

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

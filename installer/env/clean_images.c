/* SPDX-License-Identifier: MIT */
#include "env/clean_images.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "plan/document.h"

static const char BASE_DEFAULT[] = "debian:trixie-slim"; /* as in the schema of the document */

/* ---- the choice ---- */

static size_t layer_count(const struct node *image)
{
    const struct node *layers = node_get(image, "Layers");

    return layers ? layers->count : 0;
}

/* Whether `image` is made of all layers of `base`, and perhaps more. */
static bool stands_on(const struct node *image, const struct node *base)
{
    const struct node *a = node_get(image, "Layers"), *b = node_get(base, "Layers");

    if (image == base || !a || !b || b->count == 0 || b->count > a->count)
        return false;
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(a->items[i]->text, b->items[i]->text) != 0)
            return false;
    return true;
}

static bool has_tag(const struct node *image, const struct strv *tags)
{
    const struct node *list = node_get(image, "RepoTags"), *t;

    node_for_each (t, list) {
        if (t->text && strv_has(tags, t->text))
            return true;
    }
    return false;
}

static bool is_needed(const struct clean_images *c, const struct node *image)
{
    const char *id = node_get_text(image, "Id");
    const char *name = node_get_text(node_get(image, "Labels"), "slipway.image");

    return !id || strv_has(c->used, id) || has_tag(image, c->wanted) ||
           node_get_int(image, "Created", 0) >= c->before || (name && strcmp(name, "debian") == 0);
}

/* What the largest image below it does not have. */
static int64_t own_bytes(const struct clean_images *c, const struct node *image)
{
    int64_t below = 0, size = node_get_int(image, "Size", 0);
    const struct node *b;

    node_for_each (b, c->images) {
        int64_t its = node_get_int(b, "Size", 0);

        if (stands_on(image, b) && layer_count(b) < layer_count(image) && its > below)
            below = its;
    }
    return size > below ? size - below : 0;
}

static void add_item(struct node *items, const struct clean_images *c, const struct node *image)
{
    const struct node *tags = node_get(image, "RepoTags"), *t;
    struct node *n = node_add(items, node_new_map()), *names;
    const char *label = node_get_text(node_get(image, "Labels"), "slipway.image");
    auto_free char *stage = mem_printf("%s, without a tag", label ? label : "?");
    const char *name = NULL;

    node_set_text(n, "kind", "image");
    names = node_new_list();
    node_for_each (t, tags) {
        if (t->text && strcmp(t->text, "<none>:<none>") != 0)
            node_add_text(names, t->text);
        if (names->count && (!name || strstr(name, ":latest")))
            name = names->items[names->count - 1]->text; /* rather the tag with the hash */
    }
    node_set_text(n, "name", name ? name : stage);
    node_set_text(n, "id", node_get_text(image, "Id"));
    node_set_int(n, "bytes", own_bytes(c, image));
    node_set_text(n, "why", "no container uses it, nor does the catalog");
    node_set(n, "tags", names);
}

static int most_layers_first(const void *a, const void *b)
{
    const struct node *const *p = a, *const *q = b;
    size_t x = layer_count(*p), y = layer_count(*q);

    return x < y ? 1 : x > y ? -1 : strcmp(node_get_text(*p, "Id"), node_get_text(*q, "Id"));
}

void clean_images_choose(struct node *items, const struct clean_images *c)
{
    size_t count = c->images->count, chosen = 0;
    auto_free bool *kept = mem_array(count + 1, sizeof(*kept));
    auto_free const struct node **gone = mem_array(count + 1, sizeof(*gone));

    for (size_t i = 0; i < count; i++)
        kept[i] = is_needed(c, c->images->items[i]);
    /* Once is enough: what a base stands on, its image stands on too. */
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; !kept[i] && j < count; j++)
            kept[i] = is_needed(c, c->images->items[j]) &&
                      stands_on(c->images->items[j], c->images->items[i]);
    for (size_t i = 0; i < count; i++)
        if (!kept[i])
            gone[chosen++] = c->images->items[i];
    if (chosen > 1)
        qsort(gone, chosen, sizeof(*gone), most_layers_first);
    for (size_t i = 0; i < chosen; i++)
        add_item(items, c, gone[i]);
}

/* ---- the facts ---- */

static int add_used(struct strv *used, struct engine *g, struct err *e)
{
    auto_node struct node *containers = NULL;
    const struct node *c;

    if (engine_container_list(&containers, g, NULL, e) < 0)
        return -1;
    node_for_each (c, containers) {
        if (node_get_text(c, "ImageID"))
            strv_add(used, node_get_text(c, "ImageID"));
    }
    return 0;
}

static int add_wanted(struct strv *wanted, const struct env *env, const char *base, struct err *e)
{
    struct images_opts o = env->images;

    o.base = base;
    if (images_prepare(&o, e) < 0)
        return -1;
    for (size_t i = 0; i < env->catalog->count; i++) {
        const struct manifest *m = env->catalog->items[i];
        struct images_component c = {.name = m->name, .image = m->image, .dir = m->dir};
        char *ref = NULL;

        if (images_ref(&ref, &o, &c, e) < 0)
            return err_wrap(e, "image of component %s", m->name);
        strv_take(wanted, ref);
        if (images_engine_ref(&ref, &o, &c, e) < 0)
            return err_wrap(e, "image of component %s", m->name);
        strv_take(wanted, ref);
    }
    return 0;
}

/* The environments of this machine may stand on other distributions. */
static void find_bases(struct strv *bases, const char *home)
{
    auto_strv struct strv names = {0};

    strv_add(bases, BASE_DEFAULT);
    env_names(&names, home);
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *folder = fs_join(home, names.items[i]);
        auto_node struct node *document = NULL;
        const char *base;
        struct err e;

        if (document_load(&document, folder, &e) < 0) {
            err_drop(&e, "the document of an environment");
            continue;
        }
        base = node_get_text(document, "base_image");
        if (base && !strv_has(bases, base))
            strv_add(bases, base);
    }
}

/* One that goes meanwhile does not concern us. */
static int add_layers(struct node *images, struct engine *g, struct err *e)
{
    for (size_t i = 0; i < images->count; i++) {
        auto_node struct node *seen = NULL;
        const struct node *layers;

        if (engine_image_inspect(&seen, g, node_get_text(images->items[i], "Id"), e) < 0) {
            if (e->code != ERR_NOTFOUND)
                return -1;
            err_drop(e, "an image that has just gone");
            continue;
        }
        layers = node_find(seen, "RootFS.Layers");
        if (layers)
            node_set(images->items[i], "Layers", node_copy(layers));
    }
    return 0;
}

int clean_images_find(struct node *items, struct env *env, int64_t before, struct err *e)
{
    auto_node struct node *images = NULL;
    auto_strv struct strv used = {0}, wanted = {0}, bases = {0};
    struct clean_images c = {.used = &used, .wanted = &wanted, .before = before};

    /* The images first: one that is built and used later is not among them. */
    if (images_list(&images, env->engine, e) < 0 || add_layers(images, env->engine, e) < 0 ||
        add_used(&used, env->engine, e) < 0)
        return -1;
    find_bases(&bases, env->o.home);
    for (size_t i = 0; i < bases.count; i++)
        if (add_wanted(&wanted, env, bases.items[i], e) < 0)
            return -1;
    c.images = images;
    clean_images_choose(items, &c);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "env/clean.h"

#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "env/clean_files.h"
#include "env/clean_images.h"
#include "plan/object.h"
#include "plan/volumes_made.h"

/* ---- what could go ---- */

/* A container that mounts it, by name; NULL when there is none. */
static const char *user_of(const struct node *containers, const char *volume)
{
    const struct node *c, *m;

    node_for_each (c, containers) {
        const struct node *mounts = node_get(c, "Mounts"), *names = node_get(c, "Names");

        node_for_each (m, mounts) {
            if (node_text_is(m, "Name", volume))
                return names && names->count ? names->items[0]->text + 1 : "?";
        }
    }
    return NULL;
}

static struct node *volume_item(const struct node *v, const char *why)
{
    struct node *n = node_new_map();
    const char *env = object_label(v, LABEL_NAME);

    node_set_text(n, "kind", "volume");
    node_set_text(n, "name", node_get_text(v, "Name"));
    node_set_text(n, "of", env ? env : "?");
    node_set_text(n, "why", why);
    return n;
}

/* Named ones to `items`, all others that nobody uses to `kept`. */
static int find_volumes(struct node *items, struct node *kept, const struct env *env,
                        const struct strv *wanted, const struct node *containers, struct err *e)
{
    auto_node struct node *volumes = NULL;
    auto_strv struct strv known = {0};
    const struct node *v;

    if (engine_volume_list(&volumes, env->engine, LABEL_ENV, e) < 0)
        return -1;
    node_for_each (v, volumes) {
        const char *name = node_get_text(v, "Name"), *user = user_of(containers, name);
        bool named = strv_has(wanted, name);

        strv_add(&known, name);
        if (named && user)
            return err_set(e, ERR_CONFLICT, "volume %s is used by %s; nothing was removed", name,
                           user);
        if (named)
            node_add(items, volume_item(v, "named: its data goes"));
        else if (!user)
            node_add(kept, volume_item(v, "it holds data"));
    }
    for (size_t i = 0; i < wanted->count; i++) {
        auto_free char *hint = strv_hint(&known, wanted->items[i]);

        if (!strv_has(&known, wanted->items[i]))
            return err_set(e, ERR_NOTFOUND, "no environment made a volume %s%s", wanted->items[i],
                           hint);
    }
    return 0;
}

int env_clean_find(struct env_leftovers *l, struct env *env, const struct env_clean *o,
                   struct err *e)
{
    auto_node struct node *containers = NULL;

    l->items = node_new_list();
    l->kept = node_new_list();
    if (clean_images_find(l->items, env, o->before, e) < 0 ||
        engine_container_list(&containers, env->engine, NULL, e) < 0)
        return -1;
    clean_files_find(l->items, env->o.home, o->temp_dirs, containers, o->before);
    return find_volumes(l->items, l->kept, env, o->volumes, containers, e);
}

void env_leftovers_clear(struct env_leftovers *l)
{
    node_free(l->items);
    node_free(l->kept);
    *l = (struct env_leftovers){0};
}

/* ---- removing ---- */

static int remove_image(struct engine *g, const struct node *n, struct err *e)
{
    const struct node *tags = node_get(n, "tags"), *t;

    node_for_each (t, tags) {
        if (engine_image_remove(g, t->text, e) < 0)
            return -1;
    }
    return tags->count ? 0 : engine_image_remove(g, node_get_text(n, "id"), e);
}

/* Its environment is not to miss it: the names of those that it made are in its folder. */
static int remove_volume(struct env *env, const struct node *n, struct err *e)
{
    const char *name = node_get_text(n, "name"), *of = node_get_text(n, "of");
    auto_free char *folder = NULL;

    if (engine_volume_remove(env->engine, name, e) < 0)
        return -1;
    if (!spec_name_is_valid(of)) /* a label, which anybody can write */
        return 0;
    folder = fs_join(env->o.home, of);
    return fs_exists(folder) ? volumes_made_forget(folder, name, e) : 0;
}

static int remove_item(struct env *env, const struct node *n, struct err *e)
{
    const char *name = node_get_text(n, "name");

    if (node_text_is(n, "kind", "image"))
        return remove_image(env->engine, n, e);
    if (node_text_is(n, "kind", "volume"))
        return remove_volume(env, n, e);
    return fs_remove_tree(name, e);
}

/* What somebody has begun to use meanwhile stays, and is not a failure. */
int env_clean(struct env *env, struct node *items, struct err *e)
{
    size_t failed = 0, done = 0;

    for (size_t i = 0; i < items->count; i++) {
        struct node *n = items->items[i];
        struct err why;

        if (until_is_cancelled(env->until))
            return err_set(e, ERR_INTERRUPTED, "interrupted; %zu of %zu were removed", done,
                           items->count);
        if (remove_item(env, n, &why) == 0) {
            node_set_bool(n, "removed", true);
            done++;
            env->changed = true;
            continue;
        }
        node_set_text(n, "error", why.msg);
        if (why.code == ERR_CONFLICT && !node_text_is(n, "kind", "volume"))
            log_info("%s stays: %s", node_get_text(n, "name"), why.msg);
        else if (failed++ == 0)
            *e = why;
    }
    return failed ? err_partial(e, done > 0) : 0;
}

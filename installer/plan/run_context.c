/* SPDX-License-Identifier: MIT */
#include "plan/run_context.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/keys.h"
#include "plan/connect.h"
#include "plan/document.h"

void run_context_read_files(struct run_context *s, const struct catalog *c, const char *folder)
{
    struct err e;

    if (s->version[0] != '\0')
        return;
    catalog_version(c, s->version);
    if (document_load(&s->document, folder, &e) < 0 && e.code != ERR_NOTFOUND)
        err_drop(&e, "reading the operator's copy of the document");
}

static bool is_same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static void forget_images(struct run_context *s)
{
    node_free(steal(s->images));
    free(steal(s->base));
    free(steal(s->mirror));
}

int run_context_read_images(struct run_context *s, struct images_opts images,
                            const struct spec *spec, struct err *e)
{
    if (s->images && (!is_same(s->base, images.base) || !is_same(s->mirror, images.mirror)))
        forget_images(s);
    if (!s->images) {
        s->images = node_new_map();
        s->base = mem_strdup(images.base);
        s->mirror = mem_strdup(images.mirror);
    }
    for (size_t i = 0; i < spec->component_count; i++) {
        const struct manifest *m = spec->components[i].manifest;
        struct images_component c = {.name = m->name,
                                     .image = m->image,
                                     .dir = m->dir,
                                     .is_controller = m->role == MANIFEST_ROLE_CONTROLLER};
        auto_free char *ref = NULL;

        if (node_get(s->images, m->name))
            continue;
        if (images.programs[0] == '\0' && images_prepare(&images, e) < 0)
            return -1;
        if (images_ref(&ref, &images, &c, e) < 0)
            return err_wrap(e, "image of component %s", m->name);
        node_set_text(s->images, m->name, ref);
    }
    return 0;
}

int run_context_root_link(struct link **out, const struct run_context *s,
                          const struct node *containers, const char *env, const struct env_key *key,
                          struct err *e)
{
    if (connect_root_link(out, containers, env, key, e) < 0)
        return -1;
    if (s->c)
        (*out)->token = mem_strdup(etcd_token(s->c));
    return 0;
}

bool run_context_etcd_is_full(const struct run_context *s, const struct observed *w,
                              const char *env)
{
    auto_free char *key = keys_lock(env);
    struct etcd_status status;
    struct err ignored;
    bool full;

    if (observed_value(w, key) || etcd_status_get(&status, s->c, 0, &ignored) < 0)
        return false;
    full = status.alarm_nospace;
    etcd_status_clear(&status);
    return full;
}

void run_context_end(struct run_context *s)
{
    etcd_close(s->c);
    lock_close(s->lock);
    strv_clear(&s->still_unhealthy);
    node_free(s->document);
    forget_images(s);
}

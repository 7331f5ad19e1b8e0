/* SPDX-License-Identifier: MIT */
#include "plan/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void session_read_catalog(struct session *s, const struct catalog *c)
{
    if (s->version[0] == '\0')
        catalog_version(c, s->version);
}

static bool is_same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static void forget_images(struct session *s)
{
    node_free(steal(s->images));
    free(steal(s->base));
    free(steal(s->mirror));
}

int session_read_images(struct session *s, struct images_opts images, const struct spec *spec,
                        struct err *e)
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
        struct images_component c = {.name = m->name, .image = m->image, .dir = m->dir};
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

void session_end(struct session *s)
{
    etcd_close(s->c);
    lock_close(s->lock);
    strv_clear(&s->as_before);
    forget_images(s);
}

/* SPDX-License-Identifier: MIT */
#include "plan/desired.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "crypto/crypto.h"
#include "plan/address.h"
#include "plan/body.h"
#include "plan/object.h"

static size_t total_instances(const struct spec *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->component_count; i++)
        n += (size_t)s->components[i].count;
    return n;
}

/* Lays out components and instances, without addresses and bodies. */
static int lay_out(struct desired *d, const struct node *images, struct strv *names, struct err *e)
{
    const struct spec *s = d->spec;

    d->component_count = s->component_count;
    d->components = mem_array(s->component_count + 1, sizeof(*d->components));
    d->items = mem_array(total_instances(s) + 1, sizeof(*d->items));
    for (size_t i = 0; i < s->component_count; i++) {
        const struct spec_component *sc = &s->components[i];
        struct desired_component *c = &d->components[i];
        const char *image = node_get_text(images, sc->manifest->name);

        if (!image)
            return err_set(e, ERR_NOTFOUND, "component %s has no image", sc->manifest->name);
        c->spec = sc;
        c->image = mem_strdup(image);
        c->first = d->count;
        c->count = (size_t)sc->count;
        for (int n = 0; n < sc->count; n++) {
            struct desired_instance *it = &d->items[d->count++];

            it->component = sc;
            it->spec = &sc->instances[n];
            it->image = c->image;
            it->container = object_container_name(s->name, it->spec->name);
            strv_add(names, it->spec->name);
        }
    }
    return 0;
}

static int fill_bodies(struct desired *d, struct err *e)
{
    for (size_t i = 0; i < d->count; i++) {
        struct desired_instance *it = &d->items[i];
        auto_free char *text = NULL;

        it->body = body_build(d, it);
        text = json_text(it->body);
        crypto_sha256_hex(it->hash, text, strlen(text));
        node_set_text(node_get(it->body, "Labels"), LABEL_HASH, it->hash);
        if (it->spec->manifest->run.read_only && body_add_link_mount(it->body, d, it, e) < 0)
            return -1;
    }
    return 0;
}

int desired_build(struct desired **out, const struct desired_opts *o, struct err *e)
{
    const struct spec *s = o->spec;
    auto_desired struct desired *d = mem_alloc(sizeof(*d));
    auto_strv struct strv names = {0}, addresses = {0};
    struct address_request r;

    d->spec = s;
    d->key = o->key;
    d->folder = o->folder;
    d->network = object_network_name(s->name);
    if (address_subnet(&d->subnet, o->observed, s, o->key, e) < 0 ||
        lay_out(d, o->images, &names, e) < 0)
        return -1;
    r = (struct address_request){
        .env = s->name, .uuid = o->key->uuid, .subnet = d->subnet, .instances = &names};
    if (address_assign(&addresses, o->observed, &r, e) < 0)
        return -1;
    for (size_t i = 0; i < d->count; i++)
        d->items[i].address = mem_strdup(addresses.items[i]);
    if (fill_bodies(d, e) < 0)
        return -1;
    *out = steal(d);
    return 0;
}

void desired_free(struct desired *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->count; i++) {
        free(d->items[i].container);
        free(d->items[i].address);
        node_free(d->items[i].body);
    }
    for (size_t i = 0; i < d->component_count; i++)
        free(d->components[i].image);
    free(d->items);
    free(d->components);
    free(d->network);
    free(d->subnet);
    free(d);
}

void desired_cleanup(struct desired **d)
{
    desired_free(*d);
}

const struct desired_instance *desired_find(const struct desired *d, const char *instance)
{
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->items[i].spec->name, instance) == 0)
            return &d->items[i];
    return NULL;
}

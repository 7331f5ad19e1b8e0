/* SPDX-License-Identifier: MIT */
#include "plan/object.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

char *object_container_name(const char *env, const char *instance)
{
    return mem_printf("%s-%s", env, instance);
}

char *object_network_name(const char *env)
{
    return mem_printf("%s-net", env);
}

const char *object_label(const struct node *object, const char *label)
{
    return node_get_text(node_get(object, "Labels"), label);
}

const char *object_address(const struct node *container)
{
    const char *env = object_label(container, LABEL_NAME);
    auto_free char *network = env ? object_network_name(env) : NULL;
    const struct node *networks = node_get(container, "Networks");
    const char *have = network ? node_get_text(node_get(networks, network), "IPAddress") : NULL;

    return have && *have ? have : object_label(container, LABEL_ADDRESS);
}

int64_t object_time_ms(const char *text)
{
    struct tm tm = {0};
    const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    double fraction = rest && *rest == '.' ? strtod(rest, NULL) : 0;
    int64_t ms = rest ? (int64_t)timegm(&tm) * 1000 : 0;

    if (fraction < 1) /* strtod takes exponents too */
        ms += (int64_t)(fraction * 1000);
    return ms > 0 ? ms : 0;
}

bool object_is_ours(const struct node *object, const char *uuid)
{
    const char *env = object_label(object, LABEL_ENV);

    return env && strcmp(env, uuid) == 0;
}

const char *object_name(const struct node *container)
{
    const struct node *names = node_get(container, "Names"), *n;

    /* "/a/b" is what a container with a link to it calls it. */
    node_for_each (n, names) {
        if (n->text && n->text[0] == '/' && !strchr(n->text + 1, '/'))
            return n->text + 1;
    }
    return "?";
}

/* What the labels say it is called, with `suffix`. */
static bool is_called(const struct node *container, const char *suffix)
{
    const char *env = object_label(container, LABEL_NAME);
    const char *instance = object_label(container, LABEL_INSTANCE);
    auto_free char *own = env && instance ? object_container_name(env, instance) : NULL;
    auto_free char *name = own ? mem_printf("%s%s", own, suffix) : NULL;

    return name && strcmp(object_name(container), name) == 0;
}

bool object_is_aside(const struct node *container)
{
    return is_called(container, OBJECT_ASIDE);
}

bool object_has_own_name(const struct node *container)
{
    return is_called(container, "") || object_is_aside(container);
}

const struct node *object_find_instance(const struct node *containers, const char *instance)
{
    const struct node *c;

    node_for_each (c, containers) {
        const char *name = object_label(c, LABEL_INSTANCE);

        if (name && strcmp(name, instance) == 0 && !object_is_aside(c))
            return c;
    }
    return NULL;
}

bool object_writes_to(const struct node *container, const char *volume)
{
    const struct node *mounts = node_get(container, "Mounts"), *m;

    node_for_each (m, mounts) {
        if (node_text_is(m, "Name", volume) && node_get_bool(m, "RW", true))
            return true;
    }
    return false;
}

bool object_has_default_name(const struct node *volume)
{
    const char *name = node_get_text(volume, "Name");
    const char *env = object_label(volume, LABEL_NAME);
    const char *instance = object_label(volume, LABEL_INSTANCE);
    auto_free char *own = env && instance ? mem_printf("%s-%s-data", env, instance) : NULL;
    size_t len = own ? strlen(own) : 0;

    return own && name && strncmp(name, own, len) == 0 &&
           strspn(name + len, "0123456789") == strlen(name + len);
}

/* ---- sorting ---- */

/* Ours are all slipway/<component>; of one whose tag is gone the list has the ID. */
static bool has_own_image(const struct node *container)
{
    static const char prefix[] = "slipway/";
    const char *image = node_get_text(container, "Image");

    return image && strncmp(image, prefix, strlen(prefix)) == 0;
}

/* `docker commit` writes the labels of the container into the image. */
static int is_copy(bool *copy, const struct node *container, struct engine *g, struct err *e)
{
    const char *id = node_get_text(container, "ImageID");
    auto_node struct node *image = NULL;

    *copy = false;
    if (!id || (object_has_own_name(container) && has_own_image(container)))
        return 0;
    if (engine_image_inspect(&image, g, id, e) < 0) {
        if (e->code != ERR_NOTFOUND)
            return -1;
        err_drop(e, "looking whether a container is a copy");
        return 0;
    }
    *copy = node_get_text(node_find(image, "Config.Labels"), LABEL_ENV) != NULL;
    return 0;
}

int object_sort(struct object_lists *lists, struct node *all, struct engine *g, const char *uuid,
                struct err *e)
{
    auto_node struct node *renamed = node_new_list();

    for (size_t i = 0; i < all->count; i++) {
        struct node *c = all->items[i], *to;
        bool copy;

        if (!uuid || !object_is_ours(c, uuid))
            to = lists->others;
        else if (!object_label(c, LABEL_INSTANCE))
            to = lists->strays;
        else if (is_copy(&copy, c, g, e) < 0)
            return -1;
        else
            to = copy ? lists->strays : object_has_own_name(c) ? lists->instances : renamed;
        all->items[i] = NULL;
        node_add(to, c);
    }
    all->count = 0;
    for (size_t i = 0; i < renamed->count; i++) {
        struct node *c = renamed->items[i];
        bool taken = object_find_instance(lists->instances, object_label(c, LABEL_INSTANCE));

        renamed->items[i] = NULL;
        node_add(taken ? lists->strays : lists->instances, c);
    }
    renamed->count = 0;
    return 0;
}

int object_containers(struct node **out, struct engine *g, const char *uuid, struct err *e)
{
    auto_free char *label = mem_printf("%s=%s", LABEL_ENV, uuid);
    auto_node struct node *all = NULL;
    auto_node struct node *instances = node_new_list();
    auto_node struct node *rest = node_new_list();
    struct object_lists lists = {.instances = instances, .strays = rest, .others = rest};

    if (engine_container_list(&all, g, label, e) < 0 || object_sort(&lists, all, g, uuid, e) < 0)
        return -1;
    *out = steal(instances);
    return 0;
}

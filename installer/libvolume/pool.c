/* SPDX-License-Identifier: MIT */
/* The volumes of a pool: create, remove, list. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libvolume/internal.h"

/* layering, exclusive-lock, object-map, fast-diff, deep-flatten: what the manager gives volumes */
static const uint64_t FEATURES = 1 | 4 | 8 | 16 | 32;

int sv_create(struct sv_connection *c, const char *name, uint64_t size_bytes, struct sv_error *e)
{
    rbd_image_options_t options = NULL;
    int r = sv_check_name("volume", name, e);

    if (r == 0)
        r = sv_check_size(size_bytes, e);
    if (r < 0)
        return r;
    rbd_image_options_create(&options);
    r = rbd_image_options_set_uint64(options, RBD_IMAGE_OPTION_FEATURES, FEATURES);
    if (r == 0)
        r = rbd_create4(c->io, name, size_bytes, options);
    rbd_image_options_destroy(options);
    return r < 0 ? sv_fail_call(e, r, "creating volume %s", name) : 0;
}

/* librbd would take a lock away from whoever gives it up when asked, as
 * the drivers' librbd does. */
static int check_unused(struct sv_connection *c, const char *name, struct sv_error *e)
{
    rbd_image_t image;
    int r = rbd_open_read_only(c->io, name, &image, NULL);

    if (r < 0)
        return sv_fail_call(e, r, "volume %s", name);
    r = sv_check_alone(image, name, 0, e);
    rbd_close(image);
    return r;
}

int sv_remove(struct sv_connection *c, const char *name, struct sv_error *e)
{
    int r = sv_check_name("volume", name, e);

    if (r == 0)
        r = check_unused(c, name, e);
    if (r < 0)
        return r;
    r = rbd_remove(c->io, name);
    if (r == -ENOTEMPTY)
        return sv_fail(e, r, "volume %s has snapshots", name);
    return r < 0 ? sv_fail_call(e, r, "removing volume %s", name) : 0;
}

/* One block of memory: the pointers, then the names. */
static char **copy_names(const rbd_image_spec_t *images, size_t count)
{
    size_t size = (count + 1) * sizeof(char *);
    char **list, *at;

    for (size_t i = 0; i < count; i++)
        size += strlen(images[i].name) + 1;
    list = calloc(1, size);
    if (!list)
        return NULL;
    at = (char *)(list + count + 1);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(images[i].name) + 1;

        memcpy(at, images[i].name, len);
        list[i] = at;
        at += len;
    }
    return list;
}

/* `room` in: how many fit; out: how many there are. */
static int list_images(rbd_image_spec_t **out, size_t *room, rados_ioctx_t io)
{
    int r;

    *out = NULL;
    do {
        free(*out);
        *out = calloc(*room, sizeof(**out));
        r = *out ? rbd_list2(io, *out, room) : -ENOMEM;
    } while (r == -ERANGE);
    if (r < 0) {
        free(*out);
        *out = NULL;
    }
    return r;
}

int64_t sv_list(struct sv_connection *c, char ***out, struct sv_error *e)
{
    rbd_image_spec_t *images;
    size_t count = 64;
    int r;

    *out = NULL;
    r = list_images(&images, &count, c->io);
    if (r < 0)
        return sv_fail_call(e, r, "listing the volumes of pool %s", c->pool);
    *out = copy_names(images, count);
    rbd_image_spec_list_cleanup(images, count);
    free(images);
    if (!*out)
        return sv_fail_call(e, -ENOMEM, "listing the volumes of pool %s", c->pool);
    return (int64_t)count;
}

void sv_names_free(char **names)
{
    free(names);
}

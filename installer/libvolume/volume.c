/* SPDX-License-Identifier: MIT */
/* Opening, closing and resizing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libvolume/internal.h"

/* ---- opening ---- */

/* "VOLUME@SNAPSHOT" into its two parts; *snapshot is NULL when there is no '@'. */
static int split_name(char volume[2 * SV_NAME_MAX + 2], const char **snapshot, const char *name,
                      struct sv_error *e)
{
    size_t most = 2 * SV_NAME_MAX + 1;
    char *at;
    int r;

    *snapshot = NULL;
    if (!name || strnlen(name, most + 1) > most)
        return sv_check_name("volume", name, e);
    memcpy(volume, name, strlen(name) + 1);
    at = strchr(volume, '@');
    if (at) {
        *at = 0;
        *snapshot = at + 1;
    }
    r = sv_check_name("volume", volume, e);
    return r == 0 && at ? sv_check_name("snapshot", *snapshot, e) : r;
}

/* The lock is held until the volume is closed: librbd gives one away that it took by itself. */
static int take_lock(rbd_image_t image, const char *name, struct sv_error *e)
{
    int r = rbd_lock_acquire(image, RBD_LOCK_MODE_EXCLUSIVE);

    if (r == -EROFS || r == -EBUSY || r == -EAGAIN)
        return sv_fail(e, -EBUSY, "volume %s has another writer", name);
    return r < 0 ? sv_fail_call(e, r, "becoming the writer of volume %s", name) : 0;
}

/* What Docker began to format, and did not end, is somebody else's now: it must not begin again. */
static int take_over_content(rbd_image_t image, const char *name, struct sv_error *e)
{
    int r = rbd_metadata_remove(image, "slipway.formatting");

    return r < 0 && r != -ENOENT ? sv_fail_call(e, r, "becoming the writer of volume %s", name) : 0;
}

/* Looks before it opens, because who has it for writing is told of every further client, and after
 * it, because another may have looked at the same moment. */
static int open_writer(struct sv_volume *v, struct sv_error *e)
{
    rbd_image_t image = NULL;
    int r = rbd_open_read_only(v->c->io, v->name, &image, NULL);

    if (r < 0)
        return sv_fail_call(e, r, "volume %s", v->name);
    r = sv_check_alone(image, v->name, 0, e);
    rbd_close(image);
    if (r < 0)
        return r;
    r = rbd_open(v->c->io, v->name, &image, NULL);
    if (r < 0)
        return sv_fail_call(e, r, "opening volume %s", v->name);
    r = take_lock(image, v->name, e);
    if (r == 0)
        r = sv_check_alone(image, v->name, 1, e);
    if (r == 0)
        r = take_over_content(image, v->name, e);
    if (r < 0) {
        rbd_close(image);
        return r;
    }
    v->image = image;
    return 0;
}

static int open_image(struct sv_volume *v, const char *volume, const char *snapshot,
                      struct sv_error *e)
{
    int r;

    if (v->mode == SV_WRITER)
        return open_writer(v, e);
    r = rbd_open_read_only(v->c->io, volume, &v->image, snapshot);
    return r < 0 ? sv_fail_call(e, r, "opening volume %s", v->name) : 0;
}

static struct sv_volume *new_volume(struct sv_connection *c, const char *name, enum sv_mode mode)
{
    struct sv_volume *v = calloc(1, sizeof(*v));
    pthread_condattr_t attributes;

    if (!v)
        return NULL;
    v->c = c;
    v->mode = mode;
    snprintf(v->name, sizeof(v->name), "%s", name);
    pthread_mutex_init(&v->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&v->idle, &attributes);
    pthread_condattr_destroy(&attributes);
    return v;
}

static void free_volume(struct sv_volume *v)
{
    pthread_cond_destroy(&v->idle);
    pthread_mutex_destroy(&v->lock);
    free(v);
}

int sv_open(struct sv_volume **out, struct sv_connection *c, const char *name, enum sv_mode mode,
            struct sv_error *e)
{
    char volume[2 * SV_NAME_MAX + 2];
    const char *snapshot;
    struct sv_volume *v;
    int r;

    *out = NULL;
    r = split_name(volume, &snapshot, name, e);
    if (r < 0)
        return r;
    if (mode != SV_READ_ONLY && mode != SV_WRITER)
        return sv_fail(e, -EINVAL, "volume %s: open it with SV_READ_ONLY or SV_WRITER", name);
    if (snapshot && mode != SV_READ_ONLY)
        return sv_fail(e, -EROFS, "%s is a snapshot: it can only be read", name);
    v = new_volume(c, name, mode);
    if (!v)
        return sv_fail_call(e, -ENOMEM, "opening volume %s", name);
    r = open_image(v, volume, snapshot, e);
    if (r < 0) {
        free_volume(v);
        return r;
    }
    atomic_fetch_add(&c->volumes, 1);
    *out = v;
    return 0;
}

/* ---- closing ---- */

int sv_wait_idle(struct sv_volume *v, struct sv_error *e)
{
    struct timespec end;
    size_t left;
    int r = 0;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += 2 * (time_t)v->c->timeout_s;
    pthread_mutex_lock(&v->lock);
    while (v->under_way && r == 0)
        r = pthread_cond_timedwait(&v->idle, &v->lock, &end);
    left = v->under_way;
    pthread_mutex_unlock(&v->lock);
    return left ? sv_fail(e, -EBUSY, "volume %s: %zu callbacks have not returned", v->name, left)
                : 0;
}

int sv_close(struct sv_volume *v, struct sv_error *e)
{
    int r;

    if (!v)
        return 0;
    r = sv_wait_idle(v, e);
    if (r < 0)
        return r;
    r = rbd_close(v->image);
    if (r < 0)
        sv_fail_call(e, r, "closing volume %s", v->name);
    atomic_fetch_sub(&v->c->volumes, 1);
    free_volume(v);
    return r < 0 ? r : 0;
}

/* ---- size ---- */

int64_t sv_size(struct sv_volume *v, struct sv_error *e)
{
    uint64_t bytes = 0;
    int r = rbd_get_size(v->image, &bytes);

    return r < 0 ? sv_fail_call(e, r, "the size of volume %s", v->name) : (int64_t)bytes;
}

/* librbd calls it without looking whether there is one. */
static int ignore_progress(uint64_t done, uint64_t all, void *arg)
{
    (void)done;
    (void)all;
    (void)arg;
    return 0;
}

int sv_resize(struct sv_volume *v, uint64_t size_bytes, enum sv_resize how, struct sv_error *e)
{
    int64_t now;
    int r = sv_check_writer(v, e);

    if (r == 0)
        r = sv_check_size(size_bytes, e);
    if (r < 0)
        return r;
    now = sv_size(v, e);
    if (now < 0)
        return (int)now;
    if (size_bytes < (uint64_t)now && how != SV_GROW_OR_SHRINK)
        return sv_fail(e, -EINVAL,
                       "volume %s would shrink from %lld to %llu bytes and lose what is behind "
                       "the new end",
                       v->name, (long long)now, (unsigned long long)size_bytes);
    r = rbd_resize2(v->image, size_bytes, how == SV_GROW_OR_SHRINK, ignore_progress, NULL);
    return r < 0 ? sv_fail_call(e, r, "resizing volume %s", v->name) : 0;
}

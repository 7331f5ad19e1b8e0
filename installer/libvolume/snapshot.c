/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libvolume/internal.h"

static int check(const struct sv_volume *v, const char *name, struct sv_error *e)
{
    int r = sv_check_writer(v, e);

    return r < 0 ? r : sv_check_name("snapshot", name, e);
}

static int result(const struct sv_volume *v, const char *doing, const char *name, int r,
                  struct sv_error *e)
{
    /* librbd takes the answer of clients that it asked in vain for a damaged one. */
    if (r == -EBADMSG)
        r = -ETIMEDOUT;
    return r < 0 ? sv_fail_call(e, r, "%s snapshot %s@%s", doing, v->name, name) : 0;
}

int sv_snapshot_create(struct sv_volume *v, const char *name, struct sv_error *e)
{
    int r = check(v, name, e);

    return r < 0 ? r : result(v, "making", name, rbd_snap_create(v->image, name), e);
}

int sv_snapshot_rollback(struct sv_volume *v, const char *name, struct sv_error *e)
{
    int r = check(v, name, e);

    return r < 0 ? r : result(v, "going back to", name, rbd_snap_rollback(v->image, name), e);
}

int sv_snapshot_remove(struct sv_volume *v, const char *name, struct sv_error *e)
{
    int r = check(v, name, e);

    return r < 0 ? r : result(v, "removing", name, rbd_snap_remove(v->image, name), e);
}

/* One block of memory: the list, then the names. */
static struct sv_snapshot *copy(const rbd_snap_info_t *snaps, int count)
{
    size_t size = ((size_t)count + 1) * sizeof(struct sv_snapshot);
    struct sv_snapshot *list;
    char *at;

    for (int i = 0; i < count; i++)
        size += strlen(snaps[i].name) + 1;
    list = calloc(1, size);
    if (!list)
        return NULL;
    at = (char *)(list + count + 1);
    for (int i = 0; i < count; i++) {
        size_t len = strlen(snaps[i].name) + 1;

        memcpy(at, snaps[i].name, len);
        list[i] = (struct sv_snapshot){.name = at, .size_bytes = snaps[i].size};
        at += len;
    }
    return list;
}

static int fetch(rbd_snap_info_t **out, rbd_image_t image)
{
    int room = 64, r;

    *out = NULL;
    do {
        free(*out);
        *out = calloc((size_t)room, sizeof(**out));
        r = *out ? rbd_snap_list(image, *out, &room) : -ENOMEM;
    } while (r == -ERANGE);
    return r;
}

int64_t sv_snapshot_list(struct sv_volume *v, struct sv_snapshot **out, struct sv_error *e)
{
    rbd_snap_info_t *snaps;
    int count;

    *out = NULL;
    count = fetch(&snaps, v->image);
    if (count >= 0)
        *out = copy(snaps, count);
    if (count > 0)
        rbd_snap_list_end(snaps);
    free(snaps);
    if (count >= 0 && !*out)
        count = -ENOMEM;
    return count < 0 ? sv_fail_call(e, count, "listing the snapshots of volume %s", v->name)
                     : count;
}

void sv_snapshots_free(struct sv_snapshot *list)
{
    free(list);
}

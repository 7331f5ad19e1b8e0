/* SPDX-License-Identifier: MIT */
/* Who has an image open: its watchers, and who holds its lock. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libvolume/internal.h"

enum {
    PATIENCE_MS = 1000, /* a tool that has it open for an instant is nobody */
    STEP_MS = 50,
};
/* Where the volume drivers write down who of them has the image. */
static const char OWNER[] = "slipway.owner";

/* ---- watchers ---- */

struct watchers {
    rbd_image_watcher_t *items;
    size_t count;
};

static void watchers_clear(struct watchers *w)
{
    if (w->items)
        rbd_watchers_list_cleanup(w->items, w->count);
    free(w->items);
    *w = (struct watchers){0};
}

static int watchers_get(struct watchers *out, rbd_image_t image)
{
    size_t room = 32;
    int r;

    *out = (struct watchers){0};
    do {
        free(out->items);
        out->items = calloc(room, sizeof(*out->items));
        r = out->items ? rbd_watchers_list(image, out->items, &room) : -ENOMEM;
    } while (r == -ERANGE);
    if (r < 0) {
        free(out->items);
        out->items = NULL;
        return r;
    }
    out->count = room;
    return 0;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int refuse(const struct watchers *w, const char *name, struct sv_error *e)
{
    size_t len;

    sv_fail(e, -EBUSY, "volume %s is in use by", name);
    for (size_t i = 0; e && i < w->count; i++) {
        len = strlen(e->text);
        snprintf(e->text + len, sizeof(e->text) - len, " %s", w->items[i].addr);
    }
    return -EBUSY;
}

static int check_watchers(rbd_image_t image, const char *name, size_t own, struct sv_error *e)
{
    int64_t end = now_ms() + PATIENCE_MS;
    struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    struct watchers w;
    bool busy;

    for (;;) {
        int r = watchers_get(&w, image);

        if (r < 0)
            return sv_fail_call(e, r, "asking who has volume %s open", name);
        busy = w.count > own;
        if (!busy || now_ms() >= end)
            break;
        watchers_clear(&w);
        nanosleep(&step, NULL);
    }
    if (busy)
        refuse(&w, name, e);
    watchers_clear(&w);
    return busy ? -EBUSY : 0;
}

static int check_owner(rbd_image_t image, const char *name, struct sv_error *e)
{
    char owner[256] = "";
    size_t size = sizeof(owner) - 1;
    int r = rbd_metadata_get(image, OWNER, owner, &size);

    if (r == -ENOENT || (r >= 0 && !owner[0]))
        return 0;
    if (r < 0 && r != -ERANGE)
        return sv_fail_call(e, r, "asking who has volume %s attached", name);
    return sv_fail(e, -EBUSY, "volume %s is attached to %.200s: detach it first", name,
                   r < 0 ? "a driver" : owner);
}

int sv_check_alone(rbd_image_t image, const char *name, size_t own, struct sv_error *e)
{
    int r = check_owner(image, name, e);

    return r < 0 ? r : check_watchers(image, name, own, e);
}

/* ---- the list ---- */

/* Who holds the exclusive lock; has_lock is false when nobody does. Asked from the image's header
 * itself: rbd_list_lockers tells what was so when the image was last looked at, and
 * rbd_lock_get_owners refuses images that are open for reading. */
static int holder_get(struct sv_client *out, const struct sv_volume *v)
{
    char id[128], header[sizeof("rbd_header.") + sizeof(id)];
    char tag[256], clients[1024], cookies[1024], addresses[1024];
    size_t tag_size = sizeof(tag), clients_size = sizeof(clients);
    size_t cookies_size = sizeof(cookies), addresses_size = sizeof(addresses);
    int exclusive, r = rbd_get_id(v->image, id, sizeof(id));
    ssize_t count;

    *out = (struct sv_client){0};
    if (r < 0)
        return r;
    snprintf(header, sizeof(header), "rbd_header.%s", id);
    count = rados_list_lockers(v->c->io, header, "rbd_lock", &exclusive, tag, &tag_size, clients,
                               &clients_size, cookies, &cookies_size, addresses, &addresses_size);
    if (count <= 0)
        return count < 0 && count != -ENOENT ? (int)count : 0;
    out->has_lock = true;
    if (strncmp(clients, "client.", 7) == 0)
        out->id = strtoull(clients + 7, NULL, 10);
    /* "v1:10.0.0.7:0/1": watchers come without the protocol */
    snprintf(out->address, sizeof(out->address), "%.127s",
             addresses[0] == 'v' && addresses[2] == ':' ? addresses + 3 : addresses);
    return 0;
}

static void add_watchers(struct sv_client *list, const struct watchers *w, uint64_t own)
{
    for (size_t i = 0; i < w->count; i++) {
        snprintf(list[i].address, sizeof(list[i].address), "%s", w->items[i].addr);
        list[i].id = (uint64_t)w->items[i].id;
        list[i].is_connected = true;
        list[i].is_self = list[i].id == own;
    }
}

/* Marks who holds the lock; one that does not watch any more gets a line of its own. */
static size_t add_holder(struct sv_client *list, size_t count, const struct sv_client *holder)
{
    if (!holder->has_lock)
        return count;
    for (size_t i = 0; i < count; i++)
        if (list[i].id == holder->id) {
            list[i].has_lock = true;
            return count;
        }
    list[count] = *holder;
    return count + 1;
}

int64_t sv_client_list(struct sv_volume *v, struct sv_client **out, struct sv_error *e)
{
    struct sv_client holder;
    struct watchers w = {0};
    int64_t count = 0;
    int r = watchers_get(&w, v->image);

    *out = NULL;
    if (r == 0)
        r = holder_get(&holder, v);
    if (r == 0) {
        *out = calloc(w.count + 1, sizeof(**out));
        r = *out ? 0 : -ENOMEM;
    }
    if (r == 0) {
        add_watchers(*out, &w, rados_get_instance_id(v->c->cluster));
        count = (int64_t)add_holder(*out, w.count, &holder);
    }
    watchers_clear(&w);
    return r < 0 ? sv_fail_call(e, r, "listing the clients of volume %s", v->name) : count;
}

void sv_clients_free(struct sv_client *list)
{
    free(list);
}

/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "engine/api.h"
#include "engine/engine.h"
#include "engine/tar.h"
#include "engine/url.h"

/* ---- what Docker answers ---- */

static const struct shape filled = {.kind = NODE_KIND_STRING, .need = SHAPE_MUST};

static const struct shape mount_members[] = {
    {.name = "Name", .kind = NODE_KIND_STRING},
    {.name = "Source", .kind = NODE_KIND_STRING},
    {.name = "Destination", .kind = NODE_KIND_STRING},
    {0},
};
static const struct shape mount = {
    .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = mount_members};

/* A network that a container is in; Docker names it by the key. */
static const struct shape place_members[] = {
    {.name = "NetworkID", .kind = NODE_KIND_STRING},
    {.name = "IPAddress", .kind = NODE_KIND_STRING},
    {0},
};
static const struct shape place = {.kind = NODE_KIND_MAP, .members = place_members};
static const struct shape map = {.kind = NODE_KIND_MAP};
static const struct shape bindings = {.kind = NODE_KIND_LIST, .each = &map};
static const struct shape network_members[] = {
    {.name = "Networks", .kind = NODE_KIND_MAP, .each = &place},
    {.name = "Ports", .kind = NODE_KIND_MAP, .each = &bindings},
    {0},
};

/* Docker writes each of these, empty or null where there is nothing; so what is missing is not
 * taken for nothing, as a container without labels or mounts would be. */
static const struct shape listed_members[] = {
    {.name = "Id", .kind = NODE_KIND_STRING, .need = SHAPE_MUST},
    {.name = "Names", .kind = NODE_KIND_LIST, .need = SHAPE_OR_NULL, .each = &filled},
    {.name = "Image", .kind = NODE_KIND_STRING, .need = SHAPE_OR_NULL},
    {.name = "ImageID", .kind = NODE_KIND_STRING, .need = SHAPE_OR_NULL},
    {.name = "State", .kind = NODE_KIND_STRING, .need = SHAPE_MUST},
    {.name = "Status", .kind = NODE_KIND_STRING},
    {.name = "Labels", .kind = NODE_KIND_MAP, .need = SHAPE_OR_NULL, .each = &shape_text},
    {.name = "Mounts", .kind = NODE_KIND_LIST, .need = SHAPE_OR_NULL, .each = &mount},
    {.name = "Ports", .kind = NODE_KIND_LIST},
    {.name = "NetworkSettings", .kind = NODE_KIND_MAP, .members = network_members},
    {0},
};
static const struct shape listed = {
    .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = listed_members};
static const struct shape list = {
    .kind = NODE_KIND_LIST, .need = SHAPE_MUST, .each = &listed, .unique = "Id"};

static const struct shape state_members[] = {
    {.name = "Status", .kind = NODE_KIND_STRING, .need = SHAPE_MUST},
    {.name = "StartedAt", .kind = NODE_KIND_STRING, .need = SHAPE_MUST},
    {.name = "FinishedAt", .kind = NODE_KIND_STRING, .need = SHAPE_MUST},
    {.name = "ExitCode", .kind = NODE_KIND_NUMBER, .need = SHAPE_MUST},
    {0},
};
static const struct shape config_members[] = {
    {.name = "Tty", .kind = NODE_KIND_BOOL},
    {.name = "Env", .kind = NODE_KIND_LIST, .each = &shape_text},
    {.name = "Labels", .kind = NODE_KIND_MAP, .each = &shape_text},
    {0},
};
static const struct shape host_members[] = {
    {.name = "PortBindings", .kind = NODE_KIND_MAP, .each = &bindings},
    {.name = "Devices", .kind = NODE_KIND_LIST, .each = &map},
    {.name = "DeviceCgroupRules", .kind = NODE_KIND_LIST, .each = &shape_text},
    {.name = "CapAdd", .kind = NODE_KIND_LIST, .each = &shape_text},
    {0},
};
static const struct shape inspected_members[] = {
    {.name = "Id", .kind = NODE_KIND_STRING, .need = SHAPE_MUST},
    {.name = "Created", .kind = NODE_KIND_STRING, .need = SHAPE_MUST},
    {.name = "RestartCount", .kind = NODE_KIND_NUMBER, .need = SHAPE_MUST},
    {.name = "State", .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = state_members},
    {.name = "Config", .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = config_members},
    {.name = "HostConfig", .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = host_members},
    {.name = "NetworkSettings", .kind = NODE_KIND_MAP, .members = network_members},
    {.name = "Mounts", .kind = NODE_KIND_LIST, .need = SHAPE_OR_NULL, .each = &mount},
    {0},
};
static const struct shape inspected = {
    .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = inspected_members};

/* ---- calls ---- */

enum { REMOVING_MS = 60 * 1000, REMOVING_POLL_MS = 50 };

/* Of its place in each network what says whether it is still the one it was made with. */
static void keep_networks(struct node *container)
{
    const struct node *networks = node_get(node_get(container, "NetworkSettings"), "Networks"), *n;
    struct node *kept;

    if (!networks || networks->kind != NODE_KIND_MAP)
        return;
    kept = node_set(container, "Networks", node_new_map());
    node_for_each (n, networks) {
        struct node *to = node_set(kept, n->key, node_new_map());
        const char *id = node_get_text(n, "NetworkID"), *address = node_get_text(n, "IPAddress");

        node_set_text(to, "NetworkID", id ? id : "");
        node_set_text(to, "IPAddress", address ? address : "");
    }
}

/* Half of a list, and it is kept for as long as a run takes. */
static void leave_out(struct node *containers)
{
    static const char *const unused[] = {"Command", "HostConfig", "NetworkSettings"};

    for (size_t c = 0; c < containers->count; c++) {
        keep_networks(containers->items[c]);
        for (size_t i = 0; i < ARRAY_LEN(unused); i++)
            node_remove(containers->items[c], unused[i]);
    }
}

int engine_container_list(struct node **out, struct engine *g, const char *label, struct err *e)
{
    auto_free char *path = url_filtered("/containers/json", "all=1", label);
    struct api_request r = {
        .method = "GET", .path = path, .shape = &list, .deadline = clock_deadline(API_READ_MS)};

    if (api_call(out, g, &r, e) < 0)
        return err_wrap(e, "listing containers");
    leave_out(*out);
    return 0;
}

int engine_container_inspect(struct node **out, struct engine *g, const char *id, struct err *e)
{
    auto_free char *path = url_path("/containers/", id, "/json");
    struct api_request r = {.method = "GET",
                            .path = path,
                            .shape = &inspected,
                            .deadline = clock_deadline(API_READ_MS)};

    return api_call(out, g, &r, e) < 0 ? err_wrap(e, "inspecting container %s", id) : 0;
}

int engine_container_create(char **id, struct engine *g, const char *name, const struct node *body,
                            struct err *e)
{
    auto_free char *path = url_path("/containers/create?name=", name, "");
    struct api_request r = {.method = "POST",
                            .path = path,
                            .shape = &shape_created,
                            .body = body,
                            .deadline = clock_deadline(API_CHANGE_MS)};
    auto_node struct node *answer = NULL;

    *id = NULL;
    if (api_call(&answer, g, &r, e) < 0)
        return err_wrap(e, "creating container %s", name);
    *id = mem_strdup(node_get_text(answer, "Id"));
    return 0;
}

/* A change of one container that answers nothing. */
static int change(struct engine *g, const char *id, const char *tail, int extra_s, struct err *e)
{
    auto_free char *path = url_path("/containers/", id, tail);
    struct api_request r = {.method = "POST",
                            .path = path,
                            .deadline = clock_deadline(API_CHANGE_MS + extra_s * INT64_C(1000))};

    return api_call(NULL, g, &r, e);
}

int engine_container_start(struct engine *g, const char *id, struct err *e)
{
    return change(g, id, "/start", 0, e) < 0 ? err_wrap(e, "starting container %s", id) : 0;
}

int engine_container_stop(struct engine *g, const char *id, int grace_s, struct err *e)
{
    auto_free char *tail = mem_printf("/stop?t=%d", grace_s);

    return change(g, id, tail, grace_s, e) < 0 ? err_wrap(e, "stopping container %s", id) : 0;
}

int engine_container_restart(struct engine *g, const char *id, int grace_s, struct err *e)
{
    auto_free char *tail = mem_printf("/restart?t=%d", grace_s);

    return change(g, id, tail, grace_s, e) < 0 ? err_wrap(e, "restarting container %s", id) : 0;
}

int engine_container_rename(struct engine *g, const char *id, const char *name, struct err *e)
{
    auto_free char *tail = url_path("/rename?name=", name, "");

    return change(g, id, tail, 0, e) < 0 ? err_wrap(e, "renaming container %s to %s", id, name) : 0;
}

/* Somebody else's removal is under way: waits for its end, so that the name is free afterwards. */
static int await_removed(struct engine *g, const char *id, struct err *e)
{
    struct until until = until_within(engine_until(g), REMOVING_MS);

    while (!until_passed(until)) {
        auto_node struct node *seen = NULL;

        if (engine_container_inspect(&seen, g, id, e) < 0) {
            if (e->code != ERR_NOTFOUND)
                return -1;
            err_drop(e, "waiting for a removal");
            return 0;
        }
        until_sleep_ms(until, REMOVING_POLL_MS);
    }
    return err_set(e, ERR_TIMEOUT, "its removal does not end; docker ps -a shows it");
}

int engine_container_remove(struct engine *g, const char *id, bool force, struct err *e)
{
    auto_free char *path = url_path("/containers/", id, force ? "?v=1&force=1" : "?v=1");
    struct api_request r = {
        .method = "DELETE", .path = path, .deadline = clock_deadline(API_CHANGE_MS)};

    if (api_call(NULL, g, &r, e) == 0)
        return 0;
    if (e->code == ERR_NOTFOUND) {
        err_drop(e, "removing a missing container");
        return 0;
    }
    if (e->code == ERR_CONFLICT && strstr(e->msg, "already in progress")) {
        err_drop(e, "removal in progress");
        if (await_removed(g, id, e) == 0)
            return 0;
    }
    return err_wrap(e, "removing container %s", id);
}

/* A tar in one piece of memory that never moves, because the files may be secrets. */
struct tar {
    char *data;
    size_t len, room;
};

static void tar_add(struct tar *t, const void *p, size_t len)
{
    assert(len <= t->room - t->len);
    if (len > 0)
        memcpy(t->data + t->len, p, len);
    t->len += len;
}

static struct tar_entry tar_entry_of(const struct engine_file *f)
{
    return (struct tar_entry){.kind = f->link     ? TAR_KIND_LINK
                                      : f->folder ? TAR_KIND_FOLDER
                                                  : TAR_KIND_FILE,
                              .name = f->path + 1,
                              .link = f->link,
                              .mode = f->mode,
                              .uid = f->uid,
                              .gid = f->gid,
                              .mtime = clock_wall_ms() / 1000,
                              .size = f->len};
}

static int tar_make(struct tar *t, const struct engine_file *files, size_t count, struct err *e)
{
    t->room = TAR_END;
    for (size_t i = 0; i < count; i++) {
        if (files[i].path[0] != '/' || files[i].path[1] == '\0')
            return err_set(e, ERR_USAGE, "the path %s is not absolute", files[i].path);
        struct tar_entry entry = tar_entry_of(&files[i]);
        t->room += tar_header_max(&entry) + files[i].len + TAR_BLOCK;
    }
    t->data = mem_alloc(t->room); /* zeroed: paddings and the end need no writing */
    for (size_t i = 0; i < count; i++) {
        struct tar_entry entry = tar_entry_of(&files[i]);
        auto_buf struct buf head;

        buf_init(&head, tar_header_max(&entry));
        tar_header(&head, &entry);
        tar_add(t, head.data, head.len);
        tar_add(t, files[i].data, files[i].len);
        t->len += tar_padding(files[i].len);
    }
    t->len += TAR_END;
    return 0;
}

int engine_container_put(struct engine *g, const char *id, const struct engine_file *files,
                         size_t count, struct err *e)
{
    struct tar t = {0};
    int r = tar_make(&t, files, count, e);

    if (r == 0) {
        auto_free char *path = url_path("/containers/", id, "/archive?path=/");
        struct api_request q = {.method = "PUT",
                                .path = path,
                                .tar = t.data,
                                .tar_len = t.len,
                                .deadline = clock_deadline(API_CHANGE_MS)};

        r = api_call(NULL, g, &q, e);
    }
    if (t.data)
        mem_wipe_free(t.data, t.room);
    return r < 0 ? err_wrap(e, "putting files into container %s", id) : 0;
}

int engine_container_get(struct engine *g, const char *id, const struct engine_get *get,
                         struct err *e)
{
    auto_buf struct buf tail = {0};

    buf_init(&tail, 64 << 10);
    buf_puts(&tail, "/archive?path=");
    url_escape(&tail, get->path, "");
    if (get->path[0] != '/' || tail.full)
        return err_set(e, ERR_USAGE, "the path %s is not absolute, or too long", get->path);
    auto_free char *path = url_path("/containers/", id, buf_str(&tail));
    struct api_request r = {.method = "GET",
                            .path = path,
                            .chunk = get->chunk,
                            .arg = get->arg,
                            .deadline = get->deadline};

    return api_call(NULL, g, &r, e);
}

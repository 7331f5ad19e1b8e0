/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "engine/api.h"
#include "engine/engine.h"
#include "engine/url.h"

static const struct shape filled = {.kind = NODE_KIND_STRING, .need = SHAPE_MUST};
static const struct shape root_members[] = {
    {.name = "Layers", .kind = NODE_KIND_LIST, .each = &filled},
    {0},
};
static const struct shape config_members[] = {
    {.name = "Labels", .kind = NODE_KIND_MAP, .each = &shape_text},
    {0},
};
static const struct shape inspected_members[] = {
    {.name = "Id", .kind = NODE_KIND_STRING, .need = SHAPE_MUST},
    {.name = "Config", .kind = NODE_KIND_MAP, .members = config_members},
    {.name = "RootFS", .kind = NODE_KIND_MAP, .members = root_members},
    {0},
};
static const struct shape inspected = {
    .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = inspected_members};

static const struct shape listed_members[] = {
    {.name = "Id", .kind = NODE_KIND_STRING, .need = SHAPE_MUST},
    {.name = "RepoTags", .kind = NODE_KIND_LIST, .need = SHAPE_OR_NULL, .each = &filled},
    {.name = "Labels", .kind = NODE_KIND_MAP, .need = SHAPE_OR_NULL, .each = &shape_text},
    {.name = "Created", .kind = NODE_KIND_NUMBER, .need = SHAPE_MUST},
    {.name = "Size", .kind = NODE_KIND_NUMBER},
    {0},
};
static const struct shape listed = {
    .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = listed_members};
static const struct shape list = {.kind = NODE_KIND_LIST, .need = SHAPE_MUST, .each = &listed};

int engine_image_inspect(struct node **out, struct engine *g, const char *ref, struct err *e)
{
    auto_free char *path = url_image("/images/", ref, "/json");
    struct api_request r = {.method = "GET",
                            .path = path,
                            .shape = &inspected,
                            .deadline = clock_deadline(API_READ_MS)};

    return api_call(out, g, &r, e) < 0 ? err_wrap(e, "inspecting image %s", ref) : 0;
}

int engine_image_has(struct engine *g, const char *ref, struct err *e)
{
    auto_node struct node *seen = NULL;

    if (engine_image_inspect(&seen, g, ref, e) == 0)
        return 1;
    if (e->code != ERR_NOTFOUND)
        return -1;
    err_drop(e, "looking for an image");
    return 0;
}

int engine_image_list(struct node **out, struct engine *g, const char *label, struct err *e)
{
    auto_free char *path = url_filtered("/images/json", NULL, label);
    struct api_request r = {
        .method = "GET", .path = path, .shape = &list, .deadline = clock_deadline(API_READ_MS)};

    return api_call(out, g, &r, e) < 0 ? err_wrap(e, "listing images") : 0;
}

int engine_image_tag(struct engine *g, const char *ref, const char *repo, const char *tag,
                     struct err *e)
{
    auto_buf struct buf path;

    buf_init(&path, 4096);
    buf_puts(&path, "/images/");
    url_escape(&path, ref, "/:@");
    buf_puts(&path, "/tag?repo=");
    url_escape(&path, repo, "");
    buf_puts(&path, "&tag=");
    url_escape(&path, tag, "");
    struct api_request r = {
        .method = "POST", .path = buf_str(&path), .deadline = clock_deadline(API_READ_MS)};
    return api_call(NULL, g, &r, e) < 0 ? err_wrap(e, "tagging %s as %s:%s", ref, repo, tag) : 0;
}

int engine_image_remove(struct engine *g, const char *ref, struct err *e)
{
    auto_free char *path = url_image("/images/", ref, "");
    struct api_request r = {
        .method = "DELETE", .path = path, .deadline = clock_deadline(API_CHANGE_MS)};

    if (api_call(NULL, g, &r, e) == 0)
        return 0;
    if (e->code != ERR_NOTFOUND)
        return err_wrap(e, "removing image %s", ref);
    err_drop(e, "removing a missing image");
    return 0;
}

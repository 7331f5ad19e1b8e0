/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/api.h"
#include "engine/engine.h"
#include "engine/labels.h"
#include "engine/url.h"

/* {"driver":["local"]}, alone: Docker then asks no volume plugin, of which a dead one takes 15 s.
 * So a label is looked for here. */
#define LOCAL_VOLUMES "/volumes?filters=%7B%22driver%22%3A%5B%22local%22%5D%7D"

static const struct shape volume_members[] = {
    {.name = "Name", .kind = NODE_KIND_STRING, .need = SHAPE_MUST},
    {.name = "Driver", .kind = NODE_KIND_STRING},
    {.name = "Mountpoint", .kind = NODE_KIND_STRING},
    {.name = "Labels", .kind = NODE_KIND_MAP, .need = SHAPE_OR_NULL, .each = &shape_text},
    {0},
};
static const struct shape volume = {
    .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = volume_members};
static const struct shape list_members[] = {
    {.name = "Volumes",
     .kind = NODE_KIND_LIST,
     .need = SHAPE_OR_NULL,
     .each = &volume,
     .unique = "Name"},
    {0},
};
static const struct shape list = {
    .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = list_members};

/* `label` as of a filter: "k=v" or "k". */
static bool has_label(const struct node *of, const char *label)
{
    size_t len = strcspn(label, "=");
    auto_free char *key = mem_strndup(label, len);
    const char *value = node_get_text(node_get(of, "Labels"), key);

    return value && (!label[len] || strcmp(value, label + len + 1) == 0);
}

/* *out: the list itself; Docker wraps it as {"Volumes": [...] or null, "Warnings": ...}. */
int engine_volume_list(struct node **out, struct engine *g, const char *label, struct err *e)
{
    struct api_request r = {.method = "GET",
                            .path = LOCAL_VOLUMES,
                            .shape = &list,
                            .deadline = clock_deadline(API_READ_MS)};
    auto_node struct node *answer = NULL;
    const struct node *v;

    *out = NULL;
    if (api_call(&answer, g, &r, e) < 0)
        return err_wrap(e, "listing volumes");
    *out = node_new_list();
    node_for_each (v, node_get(answer, "Volumes")) {
        if (!label || has_label(v, label))
            node_add(*out, node_copy(v));
    }
    return 0;
}

int engine_volume_create(struct engine *g, const struct node *body, struct err *e)
{
    struct api_request r = {.method = "POST",
                            .path = "/volumes/create",
                            .shape = &volume,
                            .body = body,
                            .deadline = clock_deadline(API_CHANGE_MS)};
    const char *name = node_get_text(body, "Name");
    auto_node struct node *answer = NULL;

    if (api_call(&answer, g, &r, e) < 0)
        return err_wrap(e, "creating volume %s", name);
    /* A volume that exists is answered as if it had just been made. */
    if (labels_match(node_get(body, "Labels"), node_get(answer, "Labels"), e) < 0)
        return err_wrap(e, "creating volume %s: a volume of that name exists that is not ours",
                        name);
    return 0;
}

int engine_volume_remove(struct engine *g, const char *name, struct err *e)
{
    auto_free char *path = url_path("/volumes/", name, "");
    struct api_request r = {
        .method = "DELETE", .path = path, .deadline = clock_deadline(API_CHANGE_MS)};

    if (api_call(NULL, g, &r, e) == 0)
        return 0;
    if (e->code != ERR_NOTFOUND)
        return err_wrap(e, "removing volume %s", name);
    err_drop(e, "removing a missing volume");
    return 0;
}

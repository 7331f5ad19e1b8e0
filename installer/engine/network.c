/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/api.h"
#include "engine/engine.h"
#include "engine/labels.h"
#include "engine/url.h"

static const struct shape range_members[] = {
    {.name = "Subnet", .kind = NODE_KIND_STRING},
    {0},
};
static const struct shape range = {
    .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = range_members};
static const struct shape ipam_members[] = {
    {.name = "Config", .kind = NODE_KIND_LIST, .each = &range},
    {0},
};
static const struct shape network_members[] = {
    {.name = "Id", .kind = NODE_KIND_STRING, .need = SHAPE_MUST},
    {.name = "Name", .kind = NODE_KIND_STRING, .need = SHAPE_MUST},
    {.name = "Created", .kind = NODE_KIND_STRING},
    {.name = "IPAM", .kind = NODE_KIND_MAP, .members = ipam_members},
    {.name = "Labels", .kind = NODE_KIND_MAP, .need = SHAPE_OR_NULL, .each = &shape_text},
    {0},
};
static const struct shape network = {
    .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = network_members};
static const struct shape list = {
    .kind = NODE_KIND_LIST, .need = SHAPE_MUST, .each = &network, .unique = "Id"};

int engine_network_list(struct node **out, struct engine *g, const char *label, struct err *e)
{
    auto_free char *path = url_filtered("/networks", NULL, label);
    struct api_request r = {
        .method = "GET", .path = path, .shape = &list, .deadline = clock_deadline(API_READ_MS)};

    return api_call(out, g, &r, e) < 0 ? err_wrap(e, "listing networks") : 0;
}

/* The name is in use: ours is as good as made. */
static int adopt(char **id, struct engine *g, const struct node *body, struct err *e)
{
    auto_free char *path = url_path("/networks/", node_get_text(body, "Name"), "");
    struct api_request r = {
        .method = "GET", .path = path, .shape = &network, .deadline = clock_deadline(API_READ_MS)};
    auto_node struct node *seen = NULL;

    if (api_call(&seen, g, &r, e) < 0)
        return -1;
    if (labels_match(node_get(body, "Labels"), node_get(seen, "Labels"), e) < 0)
        return err_wrap(e, "a network of that name exists that is not ours");
    *id = mem_strdup(node_get_text(seen, "Id"));
    return 0;
}

int engine_network_create(char **id, struct engine *g, const struct node *body, struct err *e)
{
    const char *name = node_get_text(body, "Name");
    auto_node struct node *ask = node_copy(body);
    auto_node struct node *answer = NULL;
    struct api_request q = {.method = "POST",
                            .path = "/networks/create",
                            .shape = &shape_created,
                            .body = ask,
                            .deadline = clock_deadline(API_CHANGE_MS)};

    *id = NULL;
    node_set_bool(ask, "CheckDuplicate", true); /* names are not unique without it before 1.44 */
    int r = api_call(&answer, g, &q, e);
    if (r == 0)
        *id = mem_strdup(node_get_text(answer, "Id"));
    else if (e->code == ERR_CONFLICT && strstr(e->msg, "already exists")) {
        err_drop(e, "network exists");
        r = adopt(id, g, body, e);
    }
    return r < 0 ? err_wrap(e, "creating network %s", name) : 0;
}

int engine_network_remove(struct engine *g, const char *name, struct err *e)
{
    auto_free char *path = url_path("/networks/", name, "");
    struct api_request r = {
        .method = "DELETE", .path = path, .deadline = clock_deadline(API_CHANGE_MS)};

    if (api_call(NULL, g, &r, e) == 0)
        return 0;
    if (e->code != ERR_NOTFOUND)
        return err_wrap(e, "removing network %s", name);
    err_drop(e, "removing a missing network");
    return 0;
}

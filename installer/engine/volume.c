/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/mem.h"
#include "engine/api.h"
#include "engine/engine.h"
#include "engine/labels.h"
#include "engine/url.h"

/* {"driver":["local"]}, alone: Docker then asks no volume plugin, of which a dead one takes 15 s.
 */
#define LOCAL_VOLUMES "/volumes?filters=%7B%22driver%22%3A%5B%22local%22%5D%7D"

/* *out: the list itself; Docker wraps it as {"Volumes": [...] or null, "Warnings": ...}. */
int engine_volume_list(struct node **out, struct engine *g, const char *label, struct err *e)
{
    auto_free char *path =
        label ? url_filtered("/volumes", NULL, label) : mem_strdup(LOCAL_VOLUMES);
    struct api_request r = {.method = "GET", .path = path, .deadline = clock_deadline(API_READ_MS)};
    auto_node struct node *answer = NULL;
    *out = NULL;
    if (api_call(&answer, g, &r, e) < 0)
        return err_wrap(e, "listing volumes");
    const struct node *list = node_get(answer, "Volumes");
    *out = list != NULL && list->kind == NODE_KIND_LIST ? node_copy(list) : node_new_list();
    return 0;
}

int engine_volume_create(struct engine *g, const struct node *body, struct err *e)
{
    struct api_request r = {.method = "POST",
                            .path = "/volumes/create",
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

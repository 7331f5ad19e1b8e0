/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "engine/api.h"
#include "engine/engine.h"

static const struct shape info_members[] = {
    {.name = "DockerRootDir", .kind = NODE_KIND_STRING, .need = SHAPE_MUST},
    {.name = "SecurityOptions", .kind = NODE_KIND_LIST, .each = &shape_text},
    {0},
};
static const struct shape info = {
    .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = info_members};

int engine_info(struct node **out, struct engine *g, struct err *e)
{
    struct api_request r = {
        .method = "GET", .path = "/info", .shape = &info, .deadline = clock_deadline(API_READ_MS)};

    return api_call(out, g, &r, e);
}

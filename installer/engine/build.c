/* SPDX-License-Identifier: MIT */
/* The classic builder: BuildKit needs a gRPC session of the client's. */
#include "base/buf.h"
#include "base/mem.h"
#include "conf/json.h"
#include "engine/api.h"
#include "engine/engine.h"
#include "engine/progress.h"
#include "engine/url.h"

static void add_map(struct buf *path, const char *name, const struct node *map)
{
    if (!map)
        return;
    auto_free char *text = json_text(map);
    buf_printf(path, "&%s=", name);
    url_escape(path, text, "");
}

int engine_image_build(struct engine *g, const struct engine_build *b, struct err *e)
{
    auto_buf struct buf path;

    buf_init(&path, 64 << 10);
    int fd = b->context_fd;
    buf_puts(&path, "/build?version=1&rm=1&forcerm=1&t=");
    url_escape(&path, b->tag, "");
    add_map(&path, "buildargs", b->args);
    add_map(&path, "labels", b->labels);
    if (path.full)
        return err_set(e, ERR_USAGE, "building %s: too many arguments and labels", b->tag);
    struct api_request r = {
        .method = "POST", .path = buf_str(&path), .tar_fd = &fd, .deadline = b->progress.deadline};
    return progress_call(g, &r, b->tag, &b->progress, e) < 0
               ? err_wrap(e, "building image %s", b->tag)
               : 0;
}

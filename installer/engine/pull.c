/* SPDX-License-Identifier: MIT */
/* Images that come from a registry or a file. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "engine/api.h"
#include "engine/engine.h"
#include "engine/progress.h"
#include "engine/url.h"

/* Where the tag's colon is, or the end; a colon before a slash belongs to the registry's port. */
static size_t tag_at(const char *ref)
{
    const char *slash = strrchr(ref, '/');
    const char *colon = strrchr(slash ? slash : ref, ':');

    return colon ? (size_t)(colon - ref) : strlen(ref);
}

int engine_image_pull(struct engine *g, const char *ref, const struct engine_progress *p,
                      struct err *e)
{
    auto_buf struct buf path;

    buf_init(&path, 4096);
    buf_puts(&path, "/images/create?fromImage=");
    url_escape(&path, ref, "");
    /* Without a tag Docker fetches every one. */
    if (ref[tag_at(ref)] == '\0' && !strchr(ref, '@'))
        buf_puts(&path, "&tag=latest");
    struct api_request r = {.method = "POST", .path = buf_str(&path), .deadline = p->deadline};
    return progress_call(g, &r, ref, p, e) < 0 ? err_wrap(e, "pulling image %s", ref) : 0;
}

int engine_image_import(struct engine *g, const char *ref, int tar_fd, struct until until,
                        struct err *e)
{
    struct engine_progress quiet = {.deadline = until.deadline};
    size_t colon = tag_at(ref);
    auto_free char *repo = mem_strndup(ref, colon);
    auto_buf struct buf path;

    buf_init(&path, 4096);
    buf_puts(&path, "/images/create?fromSrc=-&repo=");
    url_escape(&path, repo, "");
    buf_puts(&path, "&tag=");
    url_escape(&path, ref[colon] == ':' ? ref + colon + 1 : "latest", "");
    buf_puts(&path, "&changes=");
    url_escape(&path, "LABEL slipway.image=debian", "");
    struct api_request r = {
        .method = "POST", .path = buf_str(&path), .tar_fd = &tar_fd, .deadline = until.deadline};
    return progress_call(g, &r, ref, &quiet, e) < 0 ? err_wrap(e, "importing image %s", ref) : 0;
}

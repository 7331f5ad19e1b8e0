/* SPDX-License-Identifier: MIT */
/* A request whose answer is a stream of progress: pull, import, build. The failure is inside the
 * stream of an answer 200; it carries the last lines of a build's output. */
#ifndef ENGINE_PROGRESS_H
#define ENGINE_PROGRESS_H

#include "engine/api.h"
#include "engine/engine.h"

/* `image` is what Docker has afterwards; a stream that ends without it and without an error is
 * ERR_REMOTE. r->chunk, r->stop and r->arg are set here. */
int progress_call(struct engine *g, struct api_request *r, const char *image,
                  const struct engine_progress *p, struct err *e);

#endif

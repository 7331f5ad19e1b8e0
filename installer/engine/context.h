/* SPDX-License-Identifier: MIT */
/*
 * Image build contexts: a reproducible tar (sorted names, no times, owner 0) of folders and single
 * files, and its SHA-256, so that nothing is built twice.
 */
#ifndef ENGINE_CONTEXT_H
#define ENGINE_CONTEXT_H

#include <stddef.h>

#include "base/err.h"

struct context;
/* An empty one, owned. */
struct context *context_new(void);
/* NULL is fine. */
void context_free(struct context *c);
/* For auto_context. */
void context_cleanup(struct context **c);
#define auto_context __attribute__((cleanup(context_cleanup)))
/* Adds a folder's content under `as` ("" = root of the context); modes become 0644 or 0755. */
int context_add_dir(struct context *c, const char *dir, const char *as, struct err *e);
int context_add_file(struct context *c, const char *path, const char *as, unsigned mode,
                     struct err *e);
/* Adds a text as a file. Replaces an earlier entry of the same name. */
void context_add_text(struct context *c, const char *as, const char *text, unsigned mode);
/* SHA-256 hex of names, modes and contents, into out[65]. */
int context_hash(struct context *c, char out[65], struct err *e);
/* Writes the tar to an unlinked temporary file in `dir` (NULL: /tmp); *fd is owned. */
int context_write(struct context *c, const char *dir, int *fd, struct err *e);

#endif

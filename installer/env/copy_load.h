/* SPDX-License-Identifier: MIT */
/* Files and folders of this machine in memory, as Docker's archives want them. */
#ifndef ENV_COPY_LOAD_H
#define ENV_COPY_LOAD_H

#include "engine/engine.h"
#include "env/copy.h"

struct copy_load {
    struct engine_file *files;
    size_t count;
    uint64_t bytes; /* of files */
};

/* Adds `path`, a file or folder, as `as`. -1: nothing was added. What is left out is told in
 * *left. ERR_CONFIG: it is too large. */
int copy_load_add(struct copy_load *l, struct copy_left *left, const char *path, const char *as,
                  struct err *e);
void copy_load_clear(struct copy_load *l);

#endif

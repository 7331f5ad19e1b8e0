/* SPDX-License-Identifier: MIT */
/* What came from a container, on its way to where it was asked for: it is first put into a folder
 * of ours beside that, looked through, and only then moved. */
#ifndef ENV_COPY_TREE_H
#define ENV_COPY_TREE_H

#include <stdbool.h>

#include "base/err.h"

struct copy_tree {
    char *dir; /* ".slipway-copy.XXXXXX" beside or in the target, mode 0700; owned */
    int fd;    /* of it */
    bool into; /* the target is a folder already, and `dir` lies in it */
};

/* Beside `target`, whose folder has to be there. copy_tree_close in every case. */
int copy_tree_open(struct copy_tree *t, const char *target, struct err *e);
/*
 * Moves "it" from the folder to `target`, file by file where there is a folder already. What is
 * neither a file nor a folder is refused, and so is a file in the place of a folder. Links at the
 * target are replaced, not followed, but for `target` itself being a folder's.
 */
int copy_tree_move(const struct copy_tree *t, const char *target, struct err *e);
#define COPY_TREE_NAME "it"
/* Takes the folder away, with what is still in it. */
void copy_tree_close(struct copy_tree *t);

#endif

/* SPDX-License-Identifier: MIT */
/* What is left over on this machine and no environment needs; data only when it is named. */
#ifndef ENV_CLEAN_H
#define ENV_CLEAN_H

#include "env/env.h"

struct env_clean {
    int64_t before;               /* Unix time: only images and files that were made before it */
    const struct strv *volumes;   /* names of volumes that may go with their data */
    const struct strv *temp_dirs; /* folders for temporary files */
};

struct env_leftovers {
    struct node *items; /* what can go, in this order: {"kind":"image"|"file"|"folder"|"volume",
                           "name","bytes","why","of"} */
    struct node *kept;  /* volumes that nobody uses and that were not named, likewise */
};
/* Needs CATALOG and ENGINE. ERR_CONFLICT when a named volume is in use, ERR_NOTFOUND when there is
 * none of that name. Clear it in every case. */
int env_clean_find(struct env_leftovers *l, struct env *env, const struct env_clean *o,
                   struct err *e);
void env_leftovers_clear(struct env_leftovers *l);

/* Removes `items`, each of which gets "removed" or "error". What somebody has begun to use
 * meanwhile stays, and is not a failure. ERR_PARTIAL when another one failed, ERR_INTERRUPTED. */
int env_clean(struct env *env, struct node *items, struct err *e);

#endif

/* SPDX-License-Identifier: MIT */
/* Which images that Slipway built nobody needs: each change of a component makes a new tag. */
#ifndef ENV_CLEAN_IMAGES_H
#define ENV_CLEAN_IMAGES_H

#include "env/env.h"

/*
 * Pure. `images`: the API's list objects (Id RepoTags Created Size), each with its "Layers" from
 * the bottom up. Adds to `items` {"kind":"image","name","id","bytes","why"} in an order in which
 * they can be removed: what stands on another before that. Kept are those with an id in `used`, a
 * tag in `wanted`, made at `before` (Unix time) or later, the distribution, and whatever these
 * stand on. "bytes" is what goes with this image alone.
 */
struct clean_images {
    const struct node *images;
    const struct strv *used, *wanted;
    int64_t before;
};
void clean_images_choose(struct node *items, const struct clean_images *c);

/* The same from the engine: used by any container there is, wanted by the catalog now. */
int clean_images_find(struct node *items, struct env *env, int64_t before, struct err *e);

#endif

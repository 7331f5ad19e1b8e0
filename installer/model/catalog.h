/* SPDX-License-Identifier: MIT */
/* All component folders, by name: the only code that lists components/. Later directories
 * (--catalog) win over earlier ones only when the name is new; the same name twice is an error. */
#ifndef MODEL_CATALOG_H
#define MODEL_CATALOG_H

#include "model/manifest.h"

struct catalog {
    struct manifest **items; /* sorted by name */
    size_t count;
};

/* Loads every sub-folder with a component.yaml of every directory; all problems of all files go to
 * `lines` through `p`. -1 when there was any. Cycles in `requires` and unknown names are problems.
 */
int catalog_load(struct catalog **out, const char *const *dirs, size_t dir_count,
                 struct problems *p);
void catalog_free(struct catalog *c);
/* Sorts, and checks the manifests against each other; catalog_load does it. */
void catalog_check(struct catalog *c, struct problems *p);
const struct manifest *catalog_find(const struct catalog *c, const char *name); /* or NULL */
void catalog_names(const struct catalog *c, struct strv *out);
/* Digest of all manifests, hooks and templates: the catalog version kept beside the spec. */
void catalog_version(const struct catalog *c, char out[65]);

#endif

/* SPDX-License-Identifier: MIT */
/* All component folders, by name: the only code that lists components/. Later directories
 * (--catalog) win over earlier ones only when the name is new; the same name twice is an error. */
#ifndef MODEL_CATALOG_H
#define MODEL_CATALOG_H

#include "model/manifest.h"

struct catalog {
    struct manifest **items; /* sorted by name */
    size_t count;
    struct strv broken; /* names of the components that have problems, and are not among `items` */
};

/* Loads every sub-folder with a component.yaml of every directory; all problems of all files go to
 * `p`. -1 when there was any; then *out is what is left without the components that have them, for
 * whoever needs none of those, or NULL when a directory could not be read. Cycles in `requires` and
 * unknown names are problems. */
int catalog_load(struct catalog **out, const char *const *dirs, size_t dir_count,
                 struct problems *p);
void catalog_free(struct catalog *c);
/* Sorts, and checks the manifests against each other; what has problems becomes `broken`.
 * catalog_load does it. */
void catalog_check(struct catalog *c, struct problems *p);
/* A component of that name has problems. */
bool catalog_is_broken(const struct catalog *c, const char *name);
const struct manifest *catalog_find(const struct catalog *c, const char *name); /* or NULL */
void catalog_names(const struct catalog *c, struct strv *out);
/* Digest of all manifests, hooks and templates: the catalog version kept beside the spec. */
void catalog_version(const struct catalog *c, char out[65]);

#endif

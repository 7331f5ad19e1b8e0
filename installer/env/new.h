/* SPDX-License-Identifier: MIT */
/* The first document of an environment. */
#ifndef ENV_NEW_H
#define ENV_NEW_H

#include "env/env.h"

struct env_new {
    const char *name, *profile;
    const struct strv *components; /* "ceph-osd=3", or the name alone for its default count */
};
/* Builds the document and checks it against the catalog. Owned. Needs CATALOG. */
int env_new(struct node **out, struct env *env, const struct env_new *w, struct err *e);
/* The components of the built-in demo, as env_new wants them. */
int env_new_defaults(struct strv *out, const struct env *env, struct err *e);

#endif

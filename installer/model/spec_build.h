/* SPDX-License-Identifier: MIT */
/* From the decoded document to the spec, in parts. Only for the files of spec.h. */
#ifndef MODEL_SPEC_BUILD_H
#define MODEL_SPEC_BUILD_H

#include "model/spec_table.h"

struct spec_build {
    const struct catalog *catalog;
    const struct node *root;
    struct spec_raw raw;
    struct spec *spec;
    struct problems *problems;
};

/* Name, profile, subnet, images: everything outside `components`. */
void spec_build_head(struct spec_build *b);
/* Instances of one component with their overrides; its place in the spec is filled but for them. */
void spec_build_instances(struct spec_build *b, struct spec_component *c,
                          const struct raw_component *raw);
/* What no two instances may share, and whether the subnet is large enough. */
void spec_build_check_all(struct spec_build *b);
/* The normalised document; owned. */
struct node *spec_build_document(const struct spec_build *b);
/* Map of checked values of `given`, unknown keys as problems. Owned. */
struct node *spec_build_config(struct spec_build *b, const struct manifest *m,
                               const struct node *given);
/* Where component `name` stands in the document. */
const struct node *spec_build_place(const struct spec_build *b, const char *name);

#endif

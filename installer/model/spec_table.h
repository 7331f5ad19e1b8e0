/* SPDX-License-Identifier: MIT */
/* The environment document as a table of keys, and the struct it is decoded into before it is
 * checked against the catalog. Only for the files of spec.h. */
#ifndef MODEL_SPEC_TABLE_H
#define MODEL_SPEC_TABLE_H

#include "conf/schema.h"
#include "model/spec.h"

struct raw_override {
    char *name;
    struct node *config, *ports;
    struct strv volumes;
    int64_t memory;
};

struct raw_component {
    char *name;
    int instances, volumes; /* 0: not given */
    struct node *config, *ssh;
    int64_t memory;
    struct raw_override *overrides;
    size_t override_count;
};

struct spec_raw {
    int version;
    char *name, *profile, *base_image, *mirror, *subnet;
    struct node *ssh;
    struct raw_component *components;
    size_t component_count;
};

extern const struct schema spec_table;

#endif

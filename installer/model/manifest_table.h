/* SPDX-License-Identifier: MIT */
/* component.yaml as a table of keys, and the struct it is decoded into before it is checked. Only
 * for the files of manifest.h. */
#ifndef MODEL_MANIFEST_TABLE_H
#define MODEL_MANIFEST_TABLE_H

#include "conf/schema.h"
#include "model/manifest.h"

struct raw_config {
    struct config_key key;
    struct node *min, *max; /* read by the key's type */
};

struct raw_shared {
    struct shared_value value;
    int generated; /* 1: generate was given */
    char *instances, *count;
};

struct raw_template {
    struct template_decl decl;
    int format; /* enum template_format + 1; 0: not given */
};

struct manifest_raw {
    struct manifest m; /* its arrays stay empty: they are filled from these */
    int early;
    struct raw_config *config;
    size_t config_count;
    struct raw_shared *shared;
    size_t shared_count;
    struct raw_template *templates;
    size_t template_count;
};

extern const struct schema manifest_table;
extern const struct schema manifest_run_table; /* its key `run` */

#endif

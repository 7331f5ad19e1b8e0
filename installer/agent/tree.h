/* SPDX-License-Identifier: MIT */
/*
 * The keys an instance reads, from etcd or from a snapshot: one JSON file with the same keys
 * (components/README.md). What agents write themselves is never part of it.
 */
#ifndef AGENT_TREE_H
#define AGENT_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "conf/node.h"
#include "etcd/etcd.h"

enum { TREE_FILE_MAX = 4 << 20 };

struct tree {
    char *prefix, *env, *instance, *component;
    int64_t revision;  /* of the newest key in it */
    int64_t asked;     /* of its key `meta`: who writes it again asks for one more try; 0: a file */
    struct node *keys; /* map key -> text */
    bool clear_secrets; /* nobody else holds it: secrets need not be sealed */
    bool from_etcd;
};

/* Names for etcd_range_many and for a watch: what belongs to the instance. */
int tree_names(struct strv *out, const char *prefix, const char *component, struct err *e);
/* `prefix` is /slipway/<env>/instances/<instance>. ERR_NOTFOUND when nothing is stored there. */
int tree_from_kvs(struct tree **out, const struct etcd_kvs *kvs, const char *prefix,
                  const char *component, struct err *e);
int tree_parse(struct tree **out, const char *name, const char *text, size_t len,
               const char *component, struct err *e);
int tree_load(struct tree **out, const char *path, const char *component, struct err *e);
/* Mode 0600: secrets in it are sealed, but nobody else needs to see it. */
int tree_save(const struct tree *t, const char *path, struct err *e);
struct tree *tree_copy(const struct tree *t);
void tree_free(struct tree *t);
void tree_cleanup(struct tree **t);
#define auto_tree __attribute__((cleanup(tree_cleanup)))

/* Borrowed text of a key, or NULL. `which`: */
enum tree_part { TREE_PART_CONFIG, TREE_PART_OVERRIDE, TREE_PART_SHARED, TREE_PART_SECRET };
const char *tree_get(const struct tree *t, enum tree_part part, const char *name);
const char *tree_meta(const struct tree *t);
/* model/applied.h over its keys. */
void tree_hash(char out[65], const struct tree *t);

#endif

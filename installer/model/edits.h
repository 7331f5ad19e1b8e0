/* SPDX-License-Identifier: MIT */
/*
 * Configuration keys that instances change in etcd themselves, as `edits` of their manifest says.
 * The document is one step behind them then: whoever reads it takes in first what was changed since
 * it was stored. A key newer than the document is the truth; one that is older follows from it.
 */
#ifndef MODEL_EDITS_H
#define MODEL_EDITS_H

#include "etcd/etcd.h"
#include "model/catalog.h"

/* "ceph-mgr/volumes" is a key of a component, "volumes" one of the instance itself. The parts are
 * owned; *component is NULL for the second. */
void edits_split(char **component, char **name, const char *word);

struct edit {
    char *component, *instance; /* instance NULL: a key of the whole component */
    char *name;                 /* of the configuration key */
    char *key;                  /* in etcd */
};
struct edits {
    struct edit *items;
    size_t count;
};
/* The keys of an environment that its instances may change. Init by this call. */
void edits_find(struct edits *out, const char *env, const struct node *document,
                const struct catalog *c);
void edits_clear(struct edits *l);
bool edits_has(const struct edits *l, const char *key);
/* Reads them at one revision. */
int edits_read(struct etcd_kvs *out, struct etcd *c, const struct edits *l, struct err *e);

/* Puts into the document what is newer than `stored`, the document's own revision. */
void edits_adopt(struct node *document, const struct edits *l, const struct etcd_kvs *kvs,
                 int64_t stored);

#endif

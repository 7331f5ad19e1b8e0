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

/* The stored document at one revision. Zero before the first call. */
struct edits_document {
    struct node *root;      /* value of the spec key */
    struct node *document;  /* copy of the document in it, with what is newer than it put in */
    int64_t mod_revision;   /* of the spec key */
    struct edits edits;     /* the keys that instances may change ... */
    struct etcd_kvs edited; /* ... as they were then; empty after edits_document_parse */
};
/* Reads it from etcd. ERR_NOTFOUND when there is none. Clear it in every case. */
int edits_document_read(struct edits_document *d, struct etcd *c, const char *env,
                        const struct catalog *catalog, struct err *e);
/* The same from what was read: the spec key and a range that holds the edited keys. */
int edits_document_parse(struct edits_document *d, const struct etcd_kv *kv,
                         const struct etcd_kvs *keys, const char *env,
                         const struct catalog *catalog, struct err *e);
void edits_document_clear(struct edits_document *d);

#endif

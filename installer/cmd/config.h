/* SPDX-License-Identifier: MIT */
/*
 * Changing configuration: the document and the keys that follow from it change together, in one
 * transaction guarded by the environment's lock and the document's revision, with an audit entry.
 * So `slipway plan` has nothing to do afterwards.
 */
#ifndef CMD_CONFIG_H
#define CMD_CONFIG_H

#include "cmd/cmd.h"
#include "model/edits.h"

/* "ceph-osd", "ceph-osd/ceph-osd-1", "ceph-osd/1" or "ceph-osd-1". */
struct config_target {
    char *component, *instance; /* instance NULL: the whole component */
};

/* The accepted document at one revision. */
struct config_state {
    struct cmd_context *x;
    struct config_target target;
    const struct manifest *manifest;
    struct node *root;     /* value of the spec key */
    struct node *document; /* copy, to be changed */
    int64_t mod_revision;
    struct edits edits;     /* what instances change themselves, taken into the document ... */
    struct etcd_kvs edited; /* ... as it was then: none of it may have changed at the end */
    /* after config_plan */
    struct spec *spec;
    struct node *changes; /* list of {"key","name","instance","old","new","apply"} */
};

/* Needs CATALOG and ETCD. `word` NULL: no target. config_close in every case. */
int config_open(struct config_state *s, struct cmd_context *x, const char *word, struct err *e);
void config_close(struct config_state *s);
/* Sets the target of an open state, in place of the one it has. */
int config_aim(struct config_state *s, const char *word, struct err *e);
/* "ceph-osd" or "ceph-osd/ceph-osd-1", owned. */
char *config_target_text(const struct config_target *t);

/* The map `config` of the target in the document; made when missing. Borrowed. */
struct node *config_map(struct config_state *s);
/* Takes `key` out of that map, and what is empty then: the instance has what its component says. */
void config_unset(struct config_state *s, const char *key);
/* Decodes the changed document and computes what changes in etcd. Problems go to `p`. */
int config_plan(struct config_state *s, struct problems *p, struct err *e);
/* config_plan with its problems printed. */
int config_plan_or_say(struct config_state *s, struct err *e);
/* Prints the changes; unless dry_run, carries them out. `what`: "config set". */
struct config_commit {
    const char *what;
    bool dry_run;
    bool unrecorded; /* no audit entry: what a check makes and takes away again */
    int64_t lock_wait_ms;
};
int config_commit(struct config_state *s, const struct config_commit *o, struct err *e);
/* The same without a word. */
int config_store(struct config_state *s, const struct config_commit *o, struct err *e);

/* "live.debug_mon" into the key and the rest ("" when none), owned. */
void config_split(char **key, char **path, const char *word);

#endif

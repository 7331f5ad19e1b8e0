/* SPDX-License-Identifier: MIT */
/*
 * Changing configuration: the document and the keys that follow from it change together, in one
 * transaction guarded by the environment's lock and the document's revision, with an audit entry.
 * So `slipway plan` has nothing to do afterwards.
 */
#ifndef ENV_CONFIG_H
#define ENV_CONFIG_H

#include "env/env.h"
#include "model/edits.h"
#include "plan/lock.h"

/* "ceph-osd", "ceph-osd/ceph-osd-1", "ceph-osd/1" or "ceph-osd-1". */
struct config_target {
    char *component, *instance; /* instance NULL: the whole component */
};

/* For another run that holds the lock, where nobody says how long. */
enum { CONFIG_LOCK_WAIT_MS = 10000 };

/* How changes are carried out. `what`: "config set". */
struct config_commit {
    const char *what;
    bool dry_run;
    bool unrecorded; /* no audit entry: what a check makes and takes away again */
    int64_t lock_wait_ms;
    const char *expected; /* config_tag of the target as it was seen; NULL: whatever it is by now */
};

/* The accepted document at one revision. */
struct config_state {
    struct env *env;
    struct env_lock *lock; /* from config_lock until it is stored; NULL: for reading */
    struct config_commit commit;
    bool overtaken; /* env_config_change: the target is not what was expected */
    struct config_target target;
    const struct manifest *manifest;
    struct edits_document d; /* its document is to be changed; of its edited keys none may have
                                changed when that is stored */
    struct node *before;     /* that document as it was read */
    /* after config_plan */
    struct spec *spec;
    struct node *changes; /* list of {"key","name","instance","old","new","apply"} */
};

/* For reading. `word` NULL: no target. config_close in every case. */
int config_open(struct config_state *s, struct env *env, const char *word, struct err *e);
/* For a change: takes the lock and reads then, so that what is decided from it still holds when it
 * is stored. config_close in every case, which lets go of the lock. */
int config_begin(struct config_state *s, struct env *env, const char *word,
                 const struct config_commit *o, struct err *e);
/* Takes the environment's lock, unless dry_run. Waiting for it is not counted: the deadline of
 * etcd's calls begins when it is taken. */
int config_lock(struct config_state *s, const struct config_commit *o, struct err *e);
void config_close(struct config_state *s);
/* Sets the target of an open state, in place of the one it has. */
int config_aim(struct config_state *s, const char *word, struct err *e);
/* "ceph-osd" or "ceph-osd/ceph-osd-1", owned. */
char *config_target_text(const struct config_target *t);

/* The map `config` of the target in the document; made when missing. Borrowed. */
struct node *config_map(struct config_state *s);
/* What that map says, in few digits: equal for equal maps. */
enum { CONFIG_TAG_LEN = 17 };
void config_tag(char out[CONFIG_TAG_LEN], struct config_state *s);
/* Takes `key` out of that map, and what is empty then: the instance has what its component says. */
void config_unset(struct config_state *s, const char *key);
/* Decodes the changed document and computes what changes in etcd. Problems go to `p`. */
int config_plan(struct config_state *s, struct problems *p, struct err *e);
/* config_plan with its problems in env->problems; a single one is the error itself. */
int config_check(struct config_state *s, struct err *e);
/* Refuses what was planned when it loses data: for what people edit; commands of volumes ask. */
int config_refuse_loss(const struct config_state *s, struct err *e);
/* Carries the planned changes out, unless dry_run, and lets go of the lock. */
int config_store(struct config_state *s, struct err *e);

/* "live.debug_mon" into the key and the rest ("" when none), owned. */
void config_split(char **key, char **path, const char *word);

/* ---- a whole configuration that is edited ---- */

/* People think longer than a lock may be held, so it is taken when their text is stored. */
struct config_edit_state {
    struct config_state s;
    struct node *before; /* the target's map `config` as it was shown */
};

/* Reads what is to be edited: config_map(&c->s). config_edit_close in every case. */
int config_edit_open(struct config_edit_state *c, struct env *env, const char *target,
                     struct err *e);
/* Puts the YAML `text` in its place and plans it; again as often as it has problems. */
int config_edit_try(struct config_edit_state *c, const char *text, struct problems *p,
                    struct err *e);
/* Takes the lock, reads what there is then, and stores the text that was tried last. ERR_CONFLICT,
 * with the keys, when somebody changed this target meanwhile; changes of others stay. */
int config_edit_store(struct config_edit_state *c, const struct config_commit *o, struct err *e);
void config_edit_close(struct config_edit_state *c);

/* ---- all of it in one call ---- */

/* The value in effect of "KEY" or "KEY.PATH", owned. ERR_NOTFOUND when it is not set. */
int env_config_get(struct node **out, struct env *env, const char *target, const char *word,
                   struct err *e);
struct config_edit {
    const char *key; /* "KEY" or "KEY.PATH"; NULL ends a list of them */
    const char
        *value; /* as it is typed: a text as it is, everything else YAML; NULL: take it out */
};
/* Changes several keys of one target together, or none. *s has `changes` and what they are of
 * afterwards; config_close in every case. */
int env_config_change(struct config_state *s, struct env *env, const char *target,
                      const struct config_edit *edits, const struct config_commit *o,
                      struct err *e);
/* Every key of the target (NULL: of all) with its value: a list of {"component","instance","key",
 * "value","shown","source","help"}. Owned. */
int env_config_list(struct node **rows, struct env *env, const char *target, struct err *e);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Plan: a pure function of what should be there and what is there, to a DAG of operations. Each is
 * one call or one transaction, carries its cause, and is harmless to run again. The text is
 * deterministic.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "plan/desired.h"
#include "plan/observed.h"

enum op_kind {
#define OP(kind, ...) OP_KIND_##kind,
#include "plan/ops.def"
#undef OP
    OP_KIND_COUNT
};

struct op {
    enum op_kind kind;
    char *target; /* instance, component, or the name of an object */
    char *cause;  /* why, for people */
    size_t *deps; /* earlier operations that must be done first */
    size_t dep_count;
    const struct desired_instance *instance;   /* or NULL */
    const struct desired_component *component; /* or NULL */
    int number;                                /* VOLUME_CREATE: which of the instance's volumes */
    bool lost;                                 /* VOLUME_CREATE: there was one before, with data */
    char *object; /* container id or name, volume or network name; RECORD_REMOVE: the component that
                   * has no data any more, or NULL; VOLUME_REMOVE: NULL when it is only forgotten */
    char *rename_to;     /* INSTANCE_RENAME, INSTANCE_NAME */
    struct node *writes; /* KEYS_PUSH, SPEC_PUSH: map key -> text, null deletes */
    struct node *was;    /* KEYS_PUSH: map key -> text in etcd before */
    bool replaces;       /* INSTANCE_WAIT: failing brings the set-aside container back */
    bool never_reported; /* INSTANCE_WAIT: nothing is there that could have reported before */
    int64_t heard_at; /* INSTANCE_WAIT: time of the acknowledgement that is there already, or 0 */
    struct node *before; /* INSTANCE_WAIT: "reason" and "error", what its agent complained of */
};

struct plan {
    const struct desired *desired; /* NULL in a plan to remove everything */
    char *env;
    struct op *ops; /* in an order in which they could run one by one */
    size_t count;
    struct strv notes;      /* things seen and left alone: orphans, leftover volumes */
    struct strv strays;     /* likewise: what carries our labels and is not ours */
    struct strv taken_back; /* values that `config` commands set and the document does not have */
    struct strv unread; /* keys left alone because etcd, that alone knows them, did not answer */
};

struct edits;
struct plan_opts {
    const char *catalog_version;
    bool locked; /* the caller holds the etcd lock already: no LOCK_TAKE */
    /* Keys that instances change in etcd themselves; NULL: none. While etcd does not answer, they
     * and the document are `unread`: left for a plan that knows what they say. */
    const struct edits *edits;
    bool unread;
    /* Instances that the round before left no better than they were: no reason to wait again. */
    const struct strv *still_unhealthy;
    const struct strv *made; /* names of the volumes that were made (volumes_made.h), or NULL */
    /* The operator's copy of the document in force, which counts while etcd does not answer; NULL:
     * there is none. */
    const struct node *document;
    /* Only what brings this instance back: its container there, in its network, running, with its
     * link. No keys, nothing about others, no new container because the document says another one,
     * and no wait but for one that is replaced. NULL: everything. */
    const char *only;
    bool restart; /* with `only`: also when it runs as it should, it is stopped and started */
    /* The instance that plans: its own container it leaves alone. NULL: none does. */
    const char *self;
};

/* ERR_CONFLICT for a foreign container, network or volume with our name; ERR_AUTH when etcd refuses
 * us. */
int plan_up(struct plan **out, const struct desired *d, const struct observed *w,
            const struct plan_opts *o, struct err *e);

struct plan_down_opts {
    bool volumes;             /* every volume of the environment */
    const struct strv *named; /* volumes to remove by name; may be NULL */
    const struct strv *made;  /* names of the volumes that Slipway made (volumes_made.h), or NULL */
    /* Only these instances: their containers, stopped with their grace, and with `volumes` their
     * data. NULL: the whole environment. */
    const struct strv *instances;
    bool home; /* the operator's key too; only with volumes */
    /* Says what requires what; NULL: only that all need etcd is known. */
    const struct catalog *catalog;
};
/* What takes the environment, or a part of it, away: a plan as plan_up makes it. Pure. */
int plan_down(struct plan **out, const char *env, const struct env_key *key,
              const struct observed *w, const struct plan_down_opts *o, struct err *e);

/* NULL is fine. */
void plan_free(struct plan *p);
/* For auto_plan. */
void plan_cleanup(struct plan **p);
#define auto_plan __attribute__((cleanup(plan_cleanup)))

/* "instance", "create", '+': the columns of ops.def. Static. */
const char *op_noun(enum op_kind kind);
const char *op_verb(enum op_kind kind);
char op_sign(enum op_kind kind);
/* "create instance ceph-osd-1", owned. */
char *op_title(const struct op *op);
bool op_is_wait(enum op_kind kind);
enum op_trait { OP_TRAIT_DETAIL = 1, OP_TRAIT_MAKES = 2, OP_TRAIT_ADDS = 4 }; /* ops.def */
bool op_has(enum op_kind kind, enum op_trait trait);
enum op_side { OP_SIDE_ENGINE, OP_SIDE_ETCD, OP_SIDE_COUNT };
enum op_side op_side(enum op_kind kind);

/* The plan for people: one line per change, waits and bookkeeping folded. `verbose`: every
 * operation. */
struct buf;
/* Returns how many operations that are: without `verbose` the small ones are left out. */
size_t plan_print(struct buf *b, const struct plan *p, bool verbose);
/* {"operations":[{"kind","target","cause","after":[..]}],"notes":[..],"taken_back":[..]}, owned. */
struct node *plan_json(const struct plan *p);

/* ---- used by the builders ---- */

enum { PLAN_NONE = -1 };
/* Appends an operation; the target is copied, `cause` is taken. Returns its number. */
long plan_add(struct plan *p, enum op_kind kind, const char *target, char *cause);
/* op must come after `dep`; PLAN_NONE is fine. */
void plan_after(struct plan *p, long op, long dep);

#endif

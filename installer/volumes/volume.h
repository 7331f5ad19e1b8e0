/* SPDX-License-Identifier: MIT */
/*
 * Volumes and pools as desired state: what a command may change in the maps `volumes` and `pools`
 * of the component that makes them, and `volumes` of the drivers that serve them. Everything here
 * is pure; nothing is asked of any host. Which component is which says its manifest: `role:
 * storage` is the provisioner, `role: driver` a driver.
 */
#ifndef VOLUMES_VOLUME_H
#define VOLUMES_VOLUME_H

#include "base/volume_rules.h"
#include "conf/node.h"
#include "model/spec.h"

/* The component of the role storage, borrowed; NULL: there is none. */
const struct spec_component *volume_provisioner(const struct spec *s);
/* Whether a component serves volumes. */
bool volume_is_driver(const struct manifest *m);
/* The instance that a word means: "qemu", "volumedriver-qemu" (the one with the fewest volumes) or
 * "volumedriver-qemu-1". */
int volume_driver_find(const struct spec_instance **out, const struct spec *s, const char *word,
                       struct err *e);

/* Whether such a word means this instance. */
bool volume_driver_is(const struct spec_instance *i, const char *word);

/* List of {"volume","instance","component","pool","size","read_only"}, in the order of the
 * instances; "detaching": true too where the instance is ordered to let go: whether it has, only
 * itself can tell. Owned. */
struct node *volume_attachments(const struct spec *s);

/* Fills `document` with the volumes, pools and attachments of the document `old` that it does not
 * name: they are removed by commands, never by leaving out a line. `s` is `document` decoded. True
 * when that changed anything. */
bool volume_keep(struct node *document, const struct spec *s, const struct node *old);

/* Refuses a `document`, decoded in `s`, that somebody edited so that data is lost: by absent,
 * rollback, shrink or force, which `old` does not say. The error names the command that asks. */
int volume_refuse_loss(const struct node *document, const struct spec *s, const struct node *old,
                       struct err *e);

/* 1 to 64 of A-Z a-z 0-9 _ . -, the first a letter or digit. `kind`: "volume". */
int volume_check_name(const char *kind, const char *name, struct err *e);
/* "10GiB", whole MiB from 1MiB to 64TiB. */
int volume_parse_size(int64_t *bytes, const char *text, struct err *e);

/* What the following look at and change. The maps are a document's. */
struct volume_maps {
    struct node *volumes, *pools; /* pools is only looked at */
    const struct node *attached;  /* volume_attachments */
};
/* The entry; ERR_NOTFOUND with the nearest name. One that is being deleted is not there. */
int volume_find(struct node **out, const struct volume_maps *m, const char *name, struct err *e);

struct volume_new {
    const char *size;      /* NULL: that of the snapshot */
    const char *pool;      /* NULL: VOLUME_POOL, or that of the snapshot's volume */
    const char *data_pool; /* NULL: none */
    const char *from;      /* NULL, "VOLUME@SNAPSHOT", or a template's name */
};
/* Adds the entry; what is there and is just that stays. ERR_CONFLICT: the name is taken by
 * something else; ERR_NOTFOUND: pool or snapshot; ERR_CONFIG: name or size. */
int volume_create(const struct volume_maps *m, const char *name, const struct volume_new *o,
                  struct err *e);
/* ERR_CONFLICT: a template, or smaller and not forced. */
int volume_resize(const struct volume_maps *m, const char *name, const char *size, bool force,
                  struct err *e);
/* Refused while it is attached or has clones; with snapshots only when forced. */
int volume_delete(const struct volume_maps *m, const char *name, bool force, struct err *e);
/* ERR_CONFLICT: there is one of that name. */
int volume_snapshot(const struct volume_maps *m, const char *name, const char *snapshot,
                    struct err *e);
/* ERR_CONFLICT while it has clones, or is what a template is of. */
int volume_snapshot_delete(const struct volume_maps *m, const char *name, const char *snapshot,
                           struct err *e);
/* The serial makes it a thing that happens once. Until it is answered nobody gets the volume. */
int volume_rollback(const struct volume_maps *m, const char *name, const char *snapshot,
                    int64_t serial, struct err *e);
/* Makes a snapshot that volumes are copied from; the volume never changes again. ERR_CONFLICT while
 * it is attached, or is one. */
int volume_template(const struct volume_maps *m, const char *name, struct err *e);
/* The same for several; the error has a line for everything that is wrong, and nothing of the maps
 * may be stored then. Deleting passes over those whose deletion was begun. */
int volume_create_all(const struct volume_maps *m, const struct strv *names,
                      const struct volume_new *o, struct err *e);
int volume_delete_all(const struct volume_maps *m, const struct strv *names, bool force,
                      struct err *e);
int volume_snapshot_all(const struct volume_maps *m, const char *name, const struct strv *snapshots,
                        bool remove, struct err *e);

/* ---- orders: done once, and in the document until they are known to be done or refused ---- */

/* Whether an entry of a map (volumes, pools, what a driver serves) has one: it or a snapshot of it
 * is to go, it is to go back to a snapshot, or to be made smaller. */
bool volume_has_order(const struct node *entry);
/* Takes all orders out of a map, which were carried out, with the entries and the snapshots that
 * are gone. How many entries had any. */
int volume_orders_forget(struct node *map);
/* The same of one entry. */
void volume_order_forget(struct node *map, struct node *entry);
/* Takes back what is ordered of the entry, so that nothing of it goes; a size stays as it was
 * asked. What that was as the middle of a sentence, owned: "stays, the order to delete it"; NULL:
 * nothing. */
char *volume_orders_drop(struct node *entry);
/* Takes out what was carried out, and nothing that somebody else ordered: the entry that is gone,
 * or that it was to be smaller; */
void volume_forget(const struct volume_maps *m, const char *name);
/* these snapshots; */
void volume_forget_snapshots(const struct volume_maps *m, const char *name,
                             const struct strv *snapshots);
/* the order to go back that has this serial. */
void volume_forget_rollback(const struct volume_maps *m, const char *name, int64_t serial);
/* Takes back an order to go back to a snapshot. *was: there was one. ERR_NOTFOUND: no volume. */
int volume_rollback_cancel(const struct volume_maps *m, const char *name, bool *was, struct err *e);
/* ERR_CONFLICT while the volume is ordered to go back to a snapshot: carried out late, that would
 * take what is written meanwhile. `what` is refused: "attaching it". */
int volume_refuse_rollback(const struct volume_maps *m, const char *name, const char *what,
                           struct err *e);

struct volume_attach {
    const char *instance;
    bool read_only;
    int64_t take_over; /* serial, or 0: nobody has to be fenced */
};
/* One writer: refused while anybody has it attached or has not let go of it, unless all, this one
 * too, only read. What this instance has in the same way stays as it is, and what it is ordered to
 * let go of stays with it. */
int volume_attach(const struct volume_maps *m, struct node *served, const char *name,
                  const struct volume_attach *o, struct err *e);
/* The instance that serves it; with several, `instance` says which. ERR_NOTFOUND. Borrowed. */
int volume_attachment(const char **out, const struct volume_maps *m, const char *name,
                      const char *instance, struct err *e);

struct volume_pool {
    int64_t size, min_size, k, m, pg_num; /* 0: not given */
    const char *quota, *data_pool, *compression, *compression_mode;
    const struct strv *policies; /* policy.h, the one to have first; NULL or none: k, m, size */
};
/* Adds the entry; what is there and is just that stays. ERR_CONFLICT: the name is taken by another
 * pool; ERR_CONFIG and ERR_USAGE: values that do not go together. */
int volume_pool_create(const struct volume_maps *m, const char *name, const struct volume_pool *o,
                       struct err *e);
/* Refused while volumes or other pools use it. Marks it absent. */
int volume_pool_delete(const struct volume_maps *m, const char *name, struct err *e);
/* The entry, borrowed; ERR_NOTFOUND with the nearest name. */
int volume_pool_find(struct node **out, const struct volume_maps *m, const char *name,
                     struct err *e);

#endif

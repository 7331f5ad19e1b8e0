/* SPDX-License-Identifier: MIT */
/*
 * What can be done with the volumes and pools of an environment. Each function begins and ends by
 * itself, and prepares what it needs of the environment. Options may be NULL: each as its zero
 * says. What changes something takes the environment's lock, reads, decides, stores, lets go of
 * the lock, and waits until the agents whose business it is acknowledge it. What an agent refuses
 * is taken back: ERR_UNHEALTHY with its sentence. What is asked for a second time in the same words
 * succeeds: it is done already.
 */
#ifndef ENV_VOLUMES_H
#define ENV_VOLUMES_H

#include "env/env.h"
#include "volumes/volume.h"

struct volume_options {
    int64_t lock_wait_ms; /* for another run that holds the lock; 0: 10 s */
    bool no_wait;         /* store the change and do not wait for the agents */
    bool unrecorded;      /* not the user's: no entry in `config history` */
    bool automatic; /* snapshots of a schedule: names as automatic.h makes them are for these */
    struct strv *already; /* or NULL: gets the names for which everything was so before */
    struct strv *partly;  /* or NULL: those that were created before and are attached now */
};
#define ENV_VOLUMES_NEEDS (ENV_NEEDS_NAME | ENV_NEEDS_CATALOG | ENV_NEEDS_ETCD)

/* ---- what there is ---- */

/*
 * Every volume: a list of its entry in the document with "name", "pool", "size" in bytes (those
 * of its snapshots too), "attached": [{"instance","component","read_only"}] (with "detaching": true
 * where the instance has not answered the order to let go), and, when something is wrong,
 * "problems": sentences of the agents. Owned.
 */
int env_volume_list(struct node **rows, struct env *env, struct err *e);
/* One of them; each of "attached" has "use": [{"title","line"}], the lines that use it there.
 * ERR_NOTFOUND with the nearest name. Owned. */
int env_volume_show(struct node **row, struct env *env, const char *name, struct err *e);
/* "free", "attached", "detaching", "template", "deleting" or "going back", of such a row. */
const char *env_volume_state(const struct node *row);

/* ---- volumes ---- */

/* `to`: the driver to attach them to ("qemu", "volumedriver-qemu" or "volumedriver-qemu-1"), which
 * is looked for before anything is made; NULL: to none. */
int env_volume_create(struct env *env, const struct strv *names, const struct volume_new *n,
                      const char *to, const struct volume_options *o, struct err *e);
/* `size` as "10GiB"; smaller only when forced. Drivers that serve it are told. */
int env_volume_resize(struct env *env, const char *name, const char *size, bool force,
                      const struct volume_options *o, struct err *e);
/* `force`: their snapshots too. Those whose deletion was begun and not ended are deleted too. */
int env_volume_delete(struct env *env, const struct strv *names, bool force,
                      const struct volume_options *o, struct err *e);
/* All of them or none; ERR_CONFLICT when one is there. */
int env_volume_snapshot(struct env *env, const char *name, const struct strv *snapshots,
                        const struct volume_options *o, struct err *e);
/* All of them or none; ERR_CONFLICT when one has clones. */
int env_volume_snapshot_delete(struct env *env, const char *name, const struct strv *snapshots,
                               const struct volume_options *o, struct err *e);
/* The volume gets what the snapshot holds; refused while it is attached. While the order is not
 * answered, nobody gets the volume. */
int env_volume_rollback(struct env *env, const char *name, const char *snapshot,
                        const struct volume_options *o, struct err *e);
/* Takes such an order back that was not answered, so that it is not carried out any more. */
int env_volume_rollback_cancel(struct env *env, const char *name, const struct volume_options *o,
                               struct err *e);
/* Makes it a template, which volumes are copied from and which never changes again. */
int env_volume_template(struct env *env, const char *name, const struct volume_options *o,
                        struct err *e);

/* ---- drivers that serve them ---- */

struct volume_attach_opts {
    const char *to; /* a driver as env_volume_create has it, or NULL: the only one */
    bool read_only;
};
/* A volume has one writer: a second one is refused, also while an instance has not answered the
 * order to detach it; env_volume_move by force fences that. */
int env_volume_attach(struct env *env, const struct strv *names, const struct volume_attach_opts *a,
                      const struct volume_options *o, struct err *e);

struct volume_detach_opts {
    const char *from; /* the instance, or NULL: the only one */
    bool force;       /* whoever uses it is cut off; a driver that is dead is not waited for */
};
/* Refused while a client uses one, unless forced. Without an answer in time the order stays, and
 * they count as served. */
int env_volume_detach(struct env *env, const struct strv *names, const struct volume_detach_opts *d,
                      const struct volume_options *o, struct err *e);

struct volume_move_opts {
    const char *to, *from; /* NULL: the only one */
    bool force;            /* the old driver is dead, and is fenced: nothing of it arrives later */
};
/* Detaches it from one instance and attaches it to another. Killed anywhere, the same call goes
 * on. */
int env_volume_move(struct env *env, const char *name, const struct volume_move_opts *m,
                    const struct volume_options *o, struct err *e);

/* ---- a file system on this machine ---- */

/* Mounts the volume on the folder `dir`, a path from / on: attached to `to` (NULL:
 * qemu) when nobody serves it, formatted when it is blank. Root only. Killed
 * anywhere, the same call goes on. */
int env_volume_mount(struct env *env, const char *name, const char *dir, const char *to,
                     const struct volume_options *o, struct err *e);
/* Ends that, and detaches the volume when the mount attached it. Of `env` the name is enough: where
 * the environment cannot be reached (down, no key), the volume is unmounted and a warning says what
 * was not done. */
int env_volume_unmount(struct env *env, const char *name, const struct volume_options *o,
                       struct err *e);
/* Takes back what was ordered of pools and volumes and refused, with a warning for each; `what` is
 * the command, for lock and audit. Whether there was any. */
bool env_volume_settle(struct env *env, const char *what);

/* ---- pools ---- */

/* Every pool: a list of its entry in the document with "name", "kind", "quota" in bytes, and
 * "volumes", how many are in it. Owned. */
int env_pool_list(struct node **rows, struct env *env, struct err *e);
/* One of them with what the storage has of it; the storage may be unreachable. Owned. */
int env_pool_show(struct node **row, struct env *env, const char *name, struct err *e);
/* What the storage itself says of a pool: {"policy","why",...}; {} when its component cannot tell.
 * Owned. */
int env_pool_ask(struct node **out, struct env *env, const char *name, struct err *e);
/* ERR_CONFLICT: there is one of that name. Waits until the storage has made it. */
int env_pool_create(struct env *env, const char *name, const struct volume_pool *p,
                    const struct volume_options *o, struct err *e);
/* Refused while volumes or other pools use it. */
int env_pool_delete(struct env *env, const char *name, const struct volume_options *o,
                    struct err *e);

#endif

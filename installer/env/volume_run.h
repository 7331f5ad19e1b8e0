/* SPDX-License-Identifier: MIT */
/*
 * The steps of what is done with volumes, inside env. A step takes the environment's lock and reads
 * (volume_run_begin), decides, and changes one map of one component or instance (volume_run_step):
 * that stores it, lets go of the lock, and waits until the agents acknowledge it. What an agent
 * refuses is taken back, so that a wrong wish does not stand in the way of the next one.
 */
#ifndef ENV_VOLUME_RUN_H
#define ENV_VOLUME_RUN_H

#include "env/config.h"
#include "env/volumes.h"

struct volume_run {
    struct env *env;
    const struct volume_options *options;
    const char *what; /* of the step under way, for lock and audit: "volume create" */
    int64_t deadline; /* of the step under way */
    struct config_state state;
    struct spec *spec; /* as it is before the change */
    const struct spec_component *provisioner;
    struct volume_maps maps; /* copies in effect, to be changed and put */
    struct node *attached;   /* maps.attached */
    bool settled;            /* volume_settle was called */
    size_t taken_back;       /* orders, by that */
};

/* Begins; nothing is read yet. volume_run_close at the end. */
void volume_run_init(struct volume_run *r, struct env *env, const struct volume_options *o);
/* Frees what was read, and lets go of the lock when a step still has it. */
void volume_run_close(struct volume_run *r);
#define auto_volume_run __attribute__((cleanup(volume_run_close)))
/* Reads everything, to look at it. What was read before is freed. */
int volume_run_read(struct volume_run *r, struct err *e);
/* Begins the step `what`: takes the lock and reads. The first of a run also takes back what was
 * refused to commands that did not live to do it (volume_settle.h). */
int volume_run_begin(struct volume_run *r, const char *what, struct err *e);

/* A size of the document becomes a number of bytes, for whoever reads JSON. */
void volume_run_bytes(struct node *map, const char *key);
/* Whether the map has the entry and nobody ordered it to go. */
bool volume_run_keeps(const struct node *map, const char *name);
/* Copy of what an instance serves, owned. */
struct node *volume_run_served(const struct volume_run *r, const struct spec_instance *i);

struct volume_step {
    const char *target, *key; /* "ceph-mgr", "volumes" */
    const struct node *map;   /* its new value */
    const struct strv *names; /* the entries that change */
    const char *noun;         /* what a hook calls them; NULL: "volume" */
    bool no_wait;             /* the other side is known to be dead */
};
/* Ends the step that was begun: stores and waits. ERR_UNHEALTHY when the agent refuses, after
 * taking the change back. An interrupt waits for the answer up to 15 s more, a second one not. */
int volume_run_step(struct volume_run *r, const struct volume_step *s, struct err *e);
/* The same with the provisioner's volumes as maps.volumes has them now. Without `wait` nobody
 * waits: the provisioner has nothing to do. */
int volume_run_put(struct volume_run *r, const struct strv *names, bool wait, struct err *e);

#endif

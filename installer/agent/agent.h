/* SPDX-License-Identifier: MIT */
/*
 * One instance, from its configuration to a watched daemon. loop.c waits: for init, for etcd, for
 * the next health check. start.c brings the instance up (or takes over a daemon that an earlier
 * agent left running), change.c brings new keys into effect, trial.c goes back to the last ones
 * that worked; launch.c runs hooks and daemon for all of them, report.c says and records. Calls go
 * down in this order only.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "agent/config.h"
#include "agent/daemon.h"
#include "agent/hooks.h"
#include "agent/options.h"
#include "agent/status.h"
#include "agent/tree.h"
#include "agent/trial.h"
#include "agent/restart_slot.h"
#include "agent/uplink.h"
#include "model/manifest.h"

struct agent {
    struct options *o;
    struct manifest *m;
    struct link *link;     /* NULL: arguments */
    struct tree *tree;     /* in effect */
    struct config *config; /* its values */
    struct daemon d;
    struct uplink *uplink; /* NULL: no etcd, or not needed yet */
    struct etcd *client;   /* until the uplink takes it */
    int64_t store_revision;
    struct status status;
    int64_t connect_at; /* a start that takes longer begins to report */
    bool ready;         /* hook ready said so, and apply ran */
    bool late;          /* over the ready deadline, and said so */
    bool rejected;      /* the newest keys are not in effect */
    bool told;          /* that it ends, and why */
    bool well;          /* told init that this agent works */
    int64_t waits_at;   /* when init is told again that etcd does not answer */
    bool was_unwell;    /* the instance was, when this agent began */
    bool had_data;      /* it was ready with a data volume once */
    bool data_lost;     /* and that volume is empty: it is made again until the instance is ready */
    struct trial trial;
    struct keep_end end; /* the last one that nobody asked for */
    int64_t launched_at; /* clock_now_ms() */
    bool cut_off;        /* the uplink's thread did not end: nothing is freed any more */
    int64_t ready_by, ready_at, health_at, save_at, apply_at, file_at, trim_at;
    struct strv changed;  /* for the hook apply; empty: nothing to do */
    struct tree *waiting; /* restarts when its turn has come */
    int64_t turn_at;
    struct restart_slot slot;
};

/* ---- loop.c ---- */

/* Until the container stops. Returns the exit status. */
int agent_loop(struct agent *a);

/* ---- start.c ---- */

/* From the link to a started daemon, or takes over the one that runs. */
int agent_start(struct agent *a, struct err *e);

/* ---- change.c ---- */

/* Takes the tree. */
void agent_change(struct agent *a, struct tree *t);
/* The restart that waits for its turn, when it has come. */
void agent_try_turn(struct agent *a);

/* ---- launch.c ---- */

/* Files, hooks prepare and once, the daemon: for a.tree and a.config. */
int agent_launch(struct agent *a, struct err *e);
/* The hook's call with everything but `changed`; false when the component has no such hook. The
 * path is owned by *path. */
bool agent_hook(struct hook_call *call, char **path, struct agent *a, const char *name);
bool agent_has_daemon(const struct agent *a);

/* ---- report.c ---- */

/* The link leads to etcd: not to a file, and there are no arguments in its place. */
bool agent_has_etcd(const struct agent *a);
/* Begins to report to etcd; fine when it does already. */
void agent_connect(struct agent *a);
/* Sets and tells. `reason` NULL: as it is. */
void agent_say(struct agent *a, enum state state, enum health health, const char *reason);
/* Acknowledges a tree; error and pending may be NULL. */
struct agent_ack {
    const struct tree *tree;
    const char *error;
    const struct strv *pending;
};
void agent_acknowledge(struct agent *a, const struct agent_ack *ack);
/* Failed for `why`, which is said; the container ends with `status`. */
void agent_give_up(struct agent *a, int status, const char *why);
/* Says why in etcd as well as it can. */
void agent_report_failure(struct agent *a, const struct err *e);
/* Ready: there is data from now on. */
void agent_has_data(struct agent *a);
/* Remembers what is in effect, for the next agent; when it works also for the next container. */
void agent_save(struct agent *a);
/* While something else goes on: true when it should end. */
bool agent_idle(void *arg);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A new configuration is on trial until the daemon has run with it for some seconds. When it does
 * not (a hook fails, the daemon ends or never gets ready), the last one that worked comes back, the
 * new one is reported as failed, and it is not tried again until it changes or somebody asks.
 */
#ifndef AGENT_TRIAL_H
#define AGENT_TRIAL_H

#include <stdbool.h>

#include "agent/keep.h"

struct agent;

struct trial {
    struct tree *good; /* worked; NULL: none is known */
    bool on;           /* the tree in effect is newer than `good` */
    bool back;         /* `good` is in effect because `refused` does not work */
    unsigned ends;     /* of the daemon, since it began */
    int64_t proven_at; /* clock.h; CLOCK_NEVER while it is not ready */
    int64_t moment_at; /* when the daemon has been ready for a moment */
    struct keep_refusal refusal;
};

/* At the start: what worked in the container's last run, and what was refused. Puts the one that
 * worked in the place of a tree that was refused. */
void trial_open(struct agent *a);
/* The tree in effect is about to be replaced by a newer one, or its files are. */
void trial_begin(struct agent *a);
/* A change is in effect in a daemon that is ready: now the time counts. */
void trial_watch(struct agent *a);
/* The same for one that was started. */
void trial_ready(struct agent *a);
/* The daemon ran for long enough, or the container stops before: the tree in effect works. */
void trial_prove(struct agent *a);
/* Whether this tree is known not to work; it is acknowledged so then. */
bool trial_refuses(struct agent *a, struct config_version s);
/* What was refused is wanted no more. */
void trial_forget(struct agent *a);
/* Back to the tree that worked, when there is one. -1 with ERR's own text: nothing runs. */
int trial_go_back(struct agent *a, struct err *why);
/* The daemon ended by itself. False: that is not the configuration's fault, or nothing is left to
 * try. */
bool trial_goes_on(struct agent *a);
void trial_clear(struct agent *a);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Keeps the environment as it should be: what died, was removed, lost its place in the network or
 * is not well is brought back, one after the other, by the plan of `up` for one instance. It
 * decides on what the view saw (keep_rules.h), and acts only while it leads (leader.h).
 */
#ifndef CONTROLLER_KEEPER_H
#define CONTROLLER_KEEPER_H

#include "controller/leader.h"
#include "conf/node.h"
#include "env/env.h"

struct kept; /* kept.h */

struct keeper {
    struct controller *c;
    struct leader leader;
    pthread_t thread;
    bool started;
    struct env *catalog;   /* which components have data; NULL: not known yet */
    int64_t locked_until;  /* of the thread: another run had the lock when it was asked last */
    bool blind_now;        /* of the thread: as `blind` was when it began to decide */
    pthread_mutex_t mutex; /* guards everything below */
    pthread_cond_t cond;
    struct node *rows; /* of the newest look; NULL: nobody could look, or etcd is silent */
    /* etcd is silent: the rows are those of etcd itself that are dead. They are started in the
     * first 10 s, in which this server still leads, and when, as etcd said last, nobody had stopped
     * them, paused them or held the lock; afterwards nobody knows. */
    bool blind;
    bool paused;       /* the whole environment, as etcd said last */
    int64_t held;      /* when etcd told of that, clock_now_ms */
    bool locked;       /* somebody has the environment's lock, likewise */
    int64_t looked;    /* when that look began, clock_now_ms */
    bool wanted;       /* there is something to decide on */
    struct kept *kept; /* a list */
};

/* After the view's: it follows that. */
void keeper_init(struct keeper *k, struct controller *c);
int keeper_start(struct keeper *k, struct err *e);
/* After c->stop was raised. */
void keeper_stop(struct keeper *k);
void keeper_clear(struct keeper *k);

/* Somebody wants an instance left alone (NULL: all), as etcd tells: known before the next look. */
void keeper_hold(struct keeper *k, const char *instance);
/* Whether somebody has the environment's lock, as etcd tells. */
void keeper_set_locked(struct keeper *k, bool locked);
/* The document or a configuration changed: whatever was tried, it starts from the beginning. */
void keeper_forgive(struct keeper *k);

#endif

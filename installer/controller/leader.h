/* SPDX-License-Identifier: MIT */
/*
 * Which of several servers acts: the one that has a key in etcd with a lease of 15 s. A thread of
 * its own renews it. By its own clock it stops acting 10 s after the last renewal that it is sure
 * of, and what it writes compares the key, so that one that was held up changes nothing.
 */
#ifndef CONTROLLER_LEADER_H
#define CONTROLLER_LEADER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "etcd/etcd.h"

struct controller;

struct leader {
    struct controller *c;
    pthread_t thread;
    bool started;
    struct etcd_lock lock; /* of the thread, but for what is copied under the mutex */
    struct etcd *etcd;     /* of the thread */
    pthread_mutex_t mutex; /* guards everything below */
    char *key;             /* set once */
    int64_t revision;      /* the key's create revision; 0: it has not the key */
    int64_t renewed;       /* when that was asked for that was granted last, clock_lease_ms */
    char *other;           /* who has it instead, "slipwayd@far, process 12", or NULL */
};

/* `c` is borrowed as long as the leader lives; leader_clear. */
void leader_init(struct leader *l, struct controller *c);
/* Begins to ask for the key, in a thread of its own; leader_stop. */
int leader_start(struct leader *l, struct err *e);
/* After c->stop was raised; lets go of the key. */
void leader_stop(struct leader *l);
void leader_clear(struct leader *l);

/* Whether it may act now; then *fence is what its writes have to compare. */
bool leader_leads(struct leader *l, struct etcd_fence *fence);
/* Who leads instead; NULL: nobody that is known of. Owned. */
char *leader_other(struct leader *l);
/* For struct execute_guard, with the leader as argument: ERR_LOCKED when it may not. */
int leader_ask(void *arg, struct err *e);

#endif

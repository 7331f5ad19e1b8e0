/* SPDX-License-Identifier: MIT */
/*
 * Two things that instances of a component do one after the other, under the component's lock in
 * etcd: the hook `once`, and restarts of a component that says `update: one_by_one`.
 */
#ifndef AGENT_TURN_H
#define AGENT_TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/hooks.h"
#include "base/err.h"
#include "etcd/etcd.h"

struct turn {
    struct etcd *client;
    struct etcd_lock lock;
    int64_t keep_at;
    bool lost; /* the lease ran out while etcd was away: another instance may have the lock */
};

struct turn_who {
    const struct link *link;
    const char *env, *component, *instance;
};
/* ERR_LOCKED while another instance has it. */
int turn_take(struct turn *t, const struct turn_who *who, struct err *e);
bool turn_is_taken(const struct turn *t);
/* To be called again and again while it is held. */
void turn_keep(struct turn *t);
void turn_release(struct turn *t);

/* Runs the hook unless its result is stored; waits while another instance runs it. */
int once_run(const struct turn_who *who, const struct hook_call *hook, struct err *e);

#endif

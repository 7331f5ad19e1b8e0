/* SPDX-License-Identifier: MIT */
/*
 * Two things that instances of a component do one after the other, under the component's lock in
 * etcd: the hook `once`, and restarts of a component that says `update: one_by_one`.
 */
#ifndef AGENT_RESTART_SLOT_H
#define AGENT_RESTART_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/hooks.h"
#include "base/err.h"
#include "etcd/etcd.h"

struct restart_slot {
    struct etcd *client;
    struct etcd_lock lock;
    int64_t keep_at;
    bool
        lost; /* the lease ran out while etcd was unreachable: another instance may have the lock */
};

struct slot_owner {
    const struct link *link;
    const char *env, *component, *instance;
};
/* ERR_LOCKED while another instance has it. */
int restart_slot_take(struct restart_slot *t, const struct slot_owner *who, struct err *e);
bool restart_slot_is_taken(const struct restart_slot *t);
/* To be called again and again while it is held. */
void restart_slot_keep(struct restart_slot *t);
void restart_slot_release(struct restart_slot *t);

/* Runs the hook unless its result is stored; waits while another instance runs it. `known`: it
 * ran over this instance's data, whatever etcd has forgotten, and does not run over that again. */
int once_run(const struct slot_owner *who, const struct hook_call *hook, bool known, struct err *e);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The agent's line to etcd, on a thread of its own so that nothing else ever waits for a network:
 * it watches the keys, hands over new trees, and keeps `status` (under a lease) and `applied`
 * written. etcd may be unreachable for as long as it likes; what was said last is written when it
 * is back.
 */
#ifndef AGENT_UPLINK_H
#define AGENT_UPLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/tree.h"
#include "etcd/etcd.h"
#include "etcd/link.h"

struct uplink;

struct uplink_opts {
    const struct link *link; /* borrowed as long as it lives */
    const char *component;   /* borrowed as long as it lives */
    const char *env, *instance;
    struct etcd *client; /* taken: one with a token already; NULL: none */
    int64_t revision;    /* of the store when it was read; 0: not yet read */
};

/* *out: with its thread; uplink_stop. */
int uplink_start(struct uplink **out, const struct uplink_opts *o, struct err *e);
/* Readable when there is a new tree. */
int uplink_fd(const struct uplink *u);
/* The newest tree, owned, or NULL when there is none since the last call. */
struct tree *uplink_take(struct uplink *u);
/* Both take the text (JSON); only the last one said is written. */
void uplink_say_status(struct uplink *u, char *text);
void uplink_say_applied(struct uplink *u, char *text);
/* Whether etcd has a status from here. */
bool uplink_is_heard(struct uplink *u);
/* etcd was asked and did not answer, or could not be reached: nobody here can help that. */
bool uplink_is_silent(struct uplink *u);
/* Writes what is left, for at most timeout_ms, and ends. False when its thread sits in a call
 * still: then all that it borrowed has to stay until the process ends. */
bool uplink_stop(struct uplink *u, int64_t timeout_ms);

#endif

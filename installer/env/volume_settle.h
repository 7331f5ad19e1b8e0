/* SPDX-License-Identifier: MIT */
/*
 * Orders whose answer nobody waited for: their command was killed, ran out of time, or ran with
 * --no-wait. What the storage refused to delete or a driver to detach would be refused again at
 * each start, and its instance would stay unhealthy, so the next command takes it back and says so.
 * What the storage has deleted or taken back to a snapshot, and what a driver has let go of, is
 * forgotten: done again later, by an order that is over, it would take newer data.
 */
#ifndef ENV_VOLUME_SETTLE_H
#define ENV_VOLUME_SETTLE_H

#include "env/volume_run.h"

/* Whether there is any order, answered or not. */
bool volume_settle_pending(const struct volume_run *r);
/* Settles the answered orders of one component or instance, of the step that was begun, and counts
 * in r->taken_back. 1: that was stored, which let go of the lock, and there may be more; 0: nothing
 * was to be done. What one manager has carried out is not taken back. */
int volume_settle(struct volume_run *r, struct err *e);

#endif

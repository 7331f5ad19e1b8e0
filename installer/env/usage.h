/* SPDX-License-Identifier: MIT */
/* What instances use: CPU, memory, network and block devices, from look to look. */
#ifndef ENV_USAGE_H
#define ENV_USAGE_H

#include "engine/stats.h"
#include "env/env.h"

struct usage; /* what was seen at the last look */

/* `g` is borrowed until usage_free. Looks from several threads at once; one thread at a time calls
 * it. */
struct usage *usage_new(const struct engine *g);
void usage_free(struct usage *u);
/*
 * One look at the running containers of the rows of a status (status.h): a map instance ->
 * {"millicores","memory","memory_limit","processes","block_read","block_written",
 *  "net_received","net_sent"}, of which the CPU, block and network members are per second since the
 * last look, and missing at the first one. What is not known is missing; so is an instance that
 * does not answer within some seconds. Owned.
 */
struct node *usage_look(struct usage *u, const struct node *rows);
/* Per second, of a counter at two times (clock.h); -1 when one is not known, or it began again. */
int64_t usage_rate(int64_t before, int64_t now, int64_t span_ms);

#endif

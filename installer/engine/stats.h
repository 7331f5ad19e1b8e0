/* SPDX-License-Identifier: MIT */
/* What a container has used up to now, as the kernel counts it. */
#ifndef ENGINE_STATS_H
#define ENGINE_STATS_H

#include "engine/engine.h"

/* Counters since the container's start, and what it has now; -1: the kernel does not say. */
struct engine_stats {
    int64_t cpu_ns;                    /* of all cores together */
    int64_t memory, memory_limit;      /* without the file cache that the kernel can take back */
    int64_t processes;                 /* threads too */
    int64_t block_read, block_written; /* bytes of block devices; not of the cache */
    int64_t net_received, net_sent;    /* bytes of its own network devices together */
};

/* One look, which Docker answers at once. Of a container without a process nothing is known.
 * ERR_NOTFOUND. */
int engine_container_stats(struct engine_stats *out, struct engine *g, const char *id,
                           struct err *e);
/* Of that call's answer, whose members differ between the versions of cgroups. Pure. */
void engine_stats_of(struct engine_stats *out, const struct node *answer);

#endif

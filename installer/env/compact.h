/* SPDX-License-Identifier: MIT */
/* Room in etcd: history dropped, files defragmented, the alarm of a used up quota cleared. */
#ifndef ENV_COMPACT_H
#define ENV_COMPACT_H

#include "env/env.h"

struct env_compacted {
    size_t members;        /* that were defragmented */
    int64_t before, after; /* bytes of the largest member's file */
    bool alarm;            /* there was an alarm, and it was cleared */
};

/* One member after the other, the leader last, since each answers nobody meanwhile. Needs NAME and
 * ETCD. What was done before a failure stays; it can be run again. */
int env_compact(struct env_compacted *out, struct env *env, struct err *e);

#endif

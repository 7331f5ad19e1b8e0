/* SPDX-License-Identifier: MIT */
/* A pool's policy as people write it: "4+2", "4+2 c=5 x=1". Pure. */
#ifndef VOLUMES_POLICY_H
#define VOLUMES_POLICY_H

#include <stdint.h>

#include "base/err.h"

struct volume_policy {
    int64_t k, m; /* data and coding parts; k 1: 1 + m copies */
    int64_t c, x; /* fewest parts for I/O; most parts on one host; 0: not given */
};

/* Commas do for spaces. */
int volume_policy_parse(struct volume_policy *out, const char *text, struct err *e);
/* "4+2 c=5 x=1"; owned. */
char *volume_policy_format(const struct volume_policy *p);

#endif

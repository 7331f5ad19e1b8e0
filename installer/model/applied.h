/* SPDX-License-Identifier: MIT */
/*
 * What an instance reads, and the acknowledgement of it: slipway and the agent compute the same
 * hash over the same keys, so desired and applied are compared without revisions. etcd/README.md.
 */
#ifndef MODEL_APPLIED_H
#define MODEL_APPLIED_H

#include <stdbool.h>

#include "conf/node.h"

/* True for keys that agents write (applied, status, once, once.lock): they are no configuration. */
bool applied_is_report(const char *key);
/* SHA-256 over the sorted "key=value\n" lines of a map key -> text, reports left out, into out[65].
 */
void applied_hash(char out[65], const struct node *keys);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What an instance reads, and the acknowledgement of it: slipway and the agent compute the same
 * hash, SHA-256 of the sorted "key=value" lines, over the same keys, and the revision is that of
 * the newest of them that the agent has brought into effect. An instance is up to date when the
 * hash is that of what etcd holds and the revision is not older: the same keys may have been there
 * before, with others in between. The texts: model/keys.h.
 */
#ifndef MODEL_APPLIED_H
#define MODEL_APPLIED_H

#include <stdbool.h>

#include "conf/node.h"
#include "etcd/etcd.h"

/* True for keys that agents write (applied, status, once, once.lock), not configuration. */
bool applied_is_report(const char *key);
/* Whether an instance reads this key: configuration, secrets and meta of its own, configuration and
 * shared values of its component. */
bool applied_is_read(const char *key, const char *component, const char *instance);
/* Whether an acknowledgement says that the instance has had data: it was ready once. */
bool applied_had_data(const char *text);
/* SHA-256 over the sorted "key=value\n" lines of a map key -> text, into out[65]. */
void applied_hash_map(char out[65], const struct node *map);
/* The same over what the instance reads of such a map. */
void applied_hash(char out[65], const struct node *keys, const char *component,
                  const char *instance);
/* The same of what etcd holds; returns the revision of the newest of those keys, 0 without any. */
int64_t applied_hash_stored(char out[65], const struct etcd_kvs *kvs, const char *env,
                            const char *component, const char *instance);

/* What an acknowledgement (parsed; NULL: there is none) says of keys with this hash, the newest of
 * which is of the revision `newest`. One of the same keys at an older time says nothing: other keys
 * were there meanwhile, and may be what is in effect. */
enum applied_is { APPLIED_IS_NONE, APPLIED_IS_OK, APPLIED_IS_FAILED };
enum applied_is applied_judge(const struct node *applied, const char *hash, int64_t newest);

#endif

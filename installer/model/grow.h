/* SPDX-License-Identifier: MIT */
/* Keys that only grow (`grows_only` of a manifest), against what instances have. Pure. */
#ifndef MODEL_GROW_H
#define MODEL_GROW_H

#include "etcd/etcd.h"
#include "model/spec.h"

/*
 * ERR_CONFIG when such a key of the component would be smaller for an instance than what etcd holds
 * (`have`: the keys of the environment) and the instance has taken. An instance that never ran, or
 * that refused what etcd holds, has nothing to shrink.
 */
int grow_check(const struct spec *s, const struct spec_component *c, const struct etcd_kvs *have,
               struct err *e);
/* Whether a component has such a key at all. */
bool grow_applies(const struct manifest *m);

#endif

/* SPDX-License-Identifier: MIT */
/* The order that `requires` asks for. */
#ifndef PLAN_ORDER_H
#define PLAN_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "model/catalog.h"

/* How many components one after the other a component needs to be there first; 0 is etcd. One that
 * is not in the catalog (NULL: none is) needs etcd alone. With `early` those that wait by
 * themselves (start: early) need no more either. Pure. */
size_t order_depth(const struct catalog *catalog, const char *component, bool early);

#endif

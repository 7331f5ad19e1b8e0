/* SPDX-License-Identifier: MIT */
#include "plan/order.h"

#include <string.h>

#include "plan/object.h"

size_t order_depth(const struct catalog *catalog, const char *component, bool early)
{
    const struct manifest *m = catalog ? catalog_find(catalog, component) : NULL;
    size_t depth = 0;

    if (strcmp(component, ETCD_COMPONENT) == 0)
        return 0;
    for (size_t i = 0; m && !(early && m->early) && i < m->requires.count; i++) {
        size_t needed = order_depth(catalog, m->requires.items[i], early);

        if (needed > depth)
            depth = needed;
    }
    return depth + 1;
}

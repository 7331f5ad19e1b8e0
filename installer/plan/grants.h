/* SPDX-License-Identifier: MIT */
/* What components and instances may read and write in etcd. Pure. */
#ifndef PLAN_GRANTS_H
#define PLAN_GRANTS_H

#include "etcd/etcd.h"
#include "model/spec.h"

/* As many as there are: each key is a grant of its own, so one that is left out is an instance that
 * cannot work. */
struct grants {
    struct etcd_role_grant *items; /* keys are owned */
    size_t count;
};
void grants_clear(struct grants *g);
#define auto_grants __attribute__((cleanup(grants_clear)))

/* The role that all instances of a component have besides their own, which is called as they are.
 * No instance's name has a colon. Owned. */
char *grants_component_role(const char *component);
/* Of that role: the component's keys, its `once`, and what the manifest `edits`. */
void grants_of_component(struct grants *g, const struct spec *s, const struct manifest *m);
/* Of the instance's own role. */
void grants_of_instance(struct grants *g, const char *env, const char *instance,
                        const struct manifest *m);

#endif

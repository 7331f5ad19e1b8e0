/* SPDX-License-Identifier: MIT */
/* Inside plan_up: the builder and its parts (plan_instance.c, plan_keys.c, plan_remove.c). */
#ifndef PLAN_PLAN_UP_H
#define PLAN_PLAN_UP_H

#include "plan/plan.h"

struct builder {
    struct plan *p;
    const struct desired *d;
    const struct world *w;
    const struct plan_opts *o;
    long network, etcd, lock, first_image; /* operation numbers, or PLAN_NONE */
    long *image, *push;                    /* per component */
    long *start, *wait;                    /* per instance */
    long *link;                            /* per instance: what brings its link */
};

struct builder *builder_new(struct plan *p, const struct desired *d, const struct world *w);
void builder_free(struct builder *b);
bool builder_is_etcd(const struct desired_component *c);

/* Volumes, container, link and start of every instance of one component. */
int builder_add_instances(struct builder *b, size_t component, struct err *e);
/* Roles, users and keys of one component. */
int builder_add_keys(struct builder *b, size_t component, struct err *e);
/* One wait per instance that starts or whose configuration changes. */
void builder_add_waits(struct builder *b);
/* Instances that are there and no longer wanted. */
void builder_add_removals(struct builder *b);
/* Leftover volumes. */
void builder_add_notes(struct builder *b);
/* A container by its exact name in a list of the API, or NULL. */
const struct node *builder_by_name(const struct node *containers, const char *name);

#endif

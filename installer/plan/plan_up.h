/* SPDX-License-Identifier: MIT */
/* Inside plan_up: the builder (plan_builder.c) and its parts (plan_instance.c, plan_waits.c,
 * plan_keys.c, plan_remove.c, plan_pools.c, plan_writers.c, plan_places.c). */
#ifndef PLAN_PLAN_UP_H
#define PLAN_PLAN_UP_H

#include "conf/problems.h"
#include "plan/plan.h"

struct builder {
    struct plan *p;
    const struct desired *d;
    const struct observed *w;
    const struct plan_opts *o;
    long network, etcd, lock, first_image; /* operation numbers, or PLAN_NONE */
    long *image, *push;                    /* per component */
    long *start, *wait;                    /* per instance */
    long *link;                            /* per instance: what brings its link */
    long *name;                            /* per instance: gives it its name back */
    long *user;                            /* per instance: gives it its user in etcd */
    struct problems wrong;                 /* why nothing may be begun */
    struct node *in_force;                 /* the document, once it was needed (plan_places.c) */
    bool in_force_read;
};

/* Its arrays have room for all of `d`, with PLAN_NONE everywhere. What it is given is borrowed. */
struct builder *builder_new(struct plan *p, const struct desired *d, const struct observed *w);
void builder_free(struct builder *b);
/* Whether it is etcd, which everything else waits for. */
bool builder_is_etcd(const struct desired_component *c);
/* Whether the plan is about this instance: about all, but for plan_opts.only. */
bool builder_is_about(const struct builder *b, const struct desired_instance *it);

/* Whether it is the instance that makes the plan. `it` may be NULL. */
bool builder_is_self(const struct builder *b, const struct desired_instance *it);
/* The component of an instance, by their numbers. */
size_t builder_component_of(const struct builder *b, size_t item);
/* Brings an instance its link (OP_KIND_LINK_*) behind `after`. Returns the operation. */
long builder_add_link(struct builder *b, enum op_kind kind, size_t item, long after);
/* Puts an operation behind what must be there before the agent of an instance reads its keys. */
void builder_order_link(struct builder *b, size_t component, long op);
/* Volumes, container, link and start of every instance of one component. */
void builder_add_instances(struct builder *b, size_t component);
/* It is wrong when another container writes to a volume of an instance and keeps it; what merely
 * runs beside it is in the way only of one that starts. A container of ours that lets go of it in
 * this plan is not in the way. */
void builder_refuse_second_writer(struct builder *b, const struct desired_instance *it,
                                  bool starts);
/* It is wrong when a volume that is there would be mounted elsewhere than it was. */
void builder_refuse_moved(struct builder *b, const struct desired_instance *it);
/* A volume that went from one instance to another: the one lets go before the other begins. */
void builder_order_after_users(struct builder *b, const struct desired_instance *it);
/* What Docker would refuse only after something was stopped: ports and devices of what starts. */
void builder_check_host(struct builder *b);
/* Roles, users and keys of one component. */
int builder_add_keys(struct builder *b, size_t component, struct err *e);
/* Notes which of these writes take back what a `config` command set. */
void builder_note_taken_back(struct builder *b, const struct desired_component *c,
                             const struct node *writes, const struct node *was);
/* A link that is gone from a container that runs. */
void builder_add_lost_link(struct builder *b, size_t item);
/* Whether etcd is known to hold no report of an instance. */
bool builder_has_never_reported(const struct builder *b, const char *name);
/* Waits for an instance, once, behind `after` (or PLAN_NONE) too. `replaces`: what it complained of
 * before does not count. Returns the operation. */
long builder_add_wait(struct builder *b, size_t item, long after, bool replaces);
/* One wait per instance that starts or whose configuration changes. */
void builder_add_waits(struct builder *b);
/* Instances that are there and no longer wanted. */
void builder_add_removals(struct builder *b);
/* It is wrong when the pools of the document need more instances of a component than it has, so
 * that this one could never be drained. */
void builder_check_pools(struct builder *b, const char *component, const char *instance);
/* Leftover volumes. */
void builder_add_notes(struct builder *b);
/* Notes volumes whose driver has not carried out the order to let go of them. */
void builder_note_detaching(struct builder *b);
/* A container by its exact name in a list of the API, or NULL. */
const struct node *builder_by_name(const struct node *containers, const char *name);

#endif

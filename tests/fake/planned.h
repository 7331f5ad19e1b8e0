/* SPDX-License-Identifier: MIT */
/* A small world in memory and the plan for it: the catalog of the tests, a document, and what an
 * engine and etcd would list. A failure ends the test. */
#ifndef FAKE_PLANNED_H
#define FAKE_PLANNED_H

#include <stdbool.h>

#include "plan/plan.h"

#define PLANNED_DOCUMENT                                                                           \
    "name: demo\nnetwork: {subnet: 10.90.1.0/24}\n"                                                \
    "components:\n  etcd: {instances: 1}\n  sleeper: {instances: 2}\n"

struct planned {
    struct catalog *catalog;
    struct spec *spec;
    struct env_key key;
    struct node *images;
    struct observed *observed;
    struct desired *desired;
    struct plan *plan;
    const char *self; /* of plan_opts */
};

struct observed *planned_nothing_there(void);
/* An empty world; PLANNED_DOCUMENT or another one. */
void planned_load(struct planned *f, const char *document);
void planned_make(struct planned *f);
/* Keeps the world, for another plan. */
void planned_forget(struct planned *f);
void planned_clear(struct planned *f);
/* The world as it is after the plan was carried out. */
void planned_bring_about(struct planned *f);
/* All of that: PLANNED_DOCUMENT loaded, planned and applied. */
void planned_run(struct planned *f);
/* Adds what a replaced container leaves: one set aside for sleeper-1, stopped. */
void planned_set_aside(struct planned *f);
/* NULL when there is none. */
const struct op *planned_op(const struct plan *p, enum op_kind kind, const char *target);
/* True when a comes, directly or through others, after b. */
bool planned_after(const struct plan *p, const struct op *a, const struct op *b);

#endif

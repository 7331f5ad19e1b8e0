/* SPDX-License-Identifier: MIT */
/*
 * The work of the jobs, for tasks (tasks.h). The result of each is {"text": a sentence of what was
 * done, "changed": whether that changed anything}.
 */
#ifndef CONTROLLER_JOB_WORK_H
#define CONTROLLER_JOB_WORK_H

#include "controller/tasks.h"

/* `a`: {"time": ms of the wall clock, for the names, "keep": {"hourly","daily","weekly"}}. A volume
 * that cannot have one keeps the others from nothing, and fails the job at the end. */
int job_snapshots(struct task *t, struct env *env, const struct node *a, struct err *e);
int job_compact(struct task *t, struct env *env, const struct node *a, struct err *e);
/* ERR_UNHEALTHY: some have another agent, or do not say. */
int job_agents(struct task *t, struct env *env, const struct node *a, struct err *e);

#endif

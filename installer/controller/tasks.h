/* SPDX-License-Identifier: MIT */
/*
 * Work that takes longer than a request: each in a thread of its own with an environment of its
 * own, some at a time, the others wait. What became of them is in a file too, one line at the begin
 * and one at the end, so that one that was under way when the server died is told as interrupted.
 */
#ifndef CONTROLLER_TASKS_H
#define CONTROLLER_TASKS_H

#include <pthread.h>

#include "conf/node.h"
#include "env/env.h"

struct controller;
struct task;

enum { TASKS_AT_ONCE = 4, TASKS_OPEN_MAX = 64, TASKS_KEPT = 200, TASK_LOG_MAX = 2000 };

struct task_kind {
    const char *name; /* "instance.restart" */
    unsigned needs;   /* of the environment, enum env_needs */
    /* The work. `a`: what it was begun with. */
    int (*run)(struct task *t, struct env *env, const struct node *a, struct err *e);
};

struct tasks {
    struct controller *c;
    char *path; /* of the file */
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    struct task *newest; /* a list, the newest first */
    int running, open;   /* open: not ended, those that wait too */
    bool unwritten;      /* what became of some is not in the file: there is no space */
    size_t added;        /* bytes, to the file since it was written whole */
    int64_t number;
};

/* None yet. */
void tasks_init(struct tasks *ts, struct controller *c);
/* Reads what became of the tasks of an earlier process. It goes on when the disk is full. */
int tasks_load(struct tasks *ts, struct err *e);
/* Writes down what could not be when there was no space. */
void tasks_catch_up(struct tasks *ts);
/* Ends all that run, and waits for them. */
void tasks_stop(struct tasks *ts);
void tasks_clear(struct tasks *ts);

/* Begins one; *answer is what is told of it, owned. `arguments` is taken. ERR_LOCKED: too many are
 * open. */
struct task_begin {
    const struct task_kind *kind;
    const char *target, *by;
    struct node *arguments;
};
int tasks_begin(struct node **answer, struct tasks *ts, const struct task_begin *b, struct err *e);
/* All, the newest first, without their logs; owned. */
struct node *tasks_rows(struct tasks *ts);
/* One with its log, owned; NULL: there is none. */
struct node *tasks_get(struct tasks *ts, const char *id);
/* The newest one of that kind that ended and has a result, owned; NULL: none. */
struct node *tasks_last(struct tasks *ts, const char *kind);
/* Asks it to stop; false: there is none. */
bool tasks_cancel(struct tasks *ts, const char *id);

/* ---- for the work itself, from any of its threads ---- */

/* A line of the task's log, with the time in front. */
void task_log(struct task *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* How far it is: `done` of `total`. */
void task_steps(struct task *t, int64_t done, int64_t total);
void task_advance(struct task *t); /* one more is done */
/* Takes the value. */
void task_result(struct task *t, struct node *result);

#endif

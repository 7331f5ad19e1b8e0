/* SPDX-License-Identifier: MIT */
/* A task, and the file of them, shared by the files of tasks.h alone. */
#ifndef CONTROLLER_TASKS_OWN_H
#define CONTROLLER_TASKS_OWN_H

#include "controller/tasks.h"

enum { TASKS_FILE_MAX = 64 << 20 };

struct task {
    struct tasks *ts;
    const struct task_kind *kind; /* NULL: of an earlier process */
    struct node *told;            /* what is told of it, but for log and result */
    struct node *log, *result, *arguments;
    struct cancel cancel;
    bool open, asked_to_stop;
    struct task *older;
};

/* With what came of it, but for the log. Owned. */
struct node *task_whole(const struct task *t);

/* ---- tasks_file.c; with the mutex ---- */

/* What became of it. Where there is no space it is written down later, by tasks_catch_up too. */
void task_write(struct task *t);
/* All that are kept, instead of what is there; a failure is caught up with as well. */
int tasks_write_all(struct tasks *ts, struct err *e);

#endif

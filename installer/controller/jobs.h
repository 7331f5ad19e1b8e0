/* SPDX-License-Identifier: MIT */
/*
 * What is done at certain times (jobs.def): snapshots, checks and the like. The schedules are in a
 * file, which the agent writes from the configuration of the component and which is read again when
 * it changes. A thread looks each second what is due, and begins it as a task while this server
 * leads (leader.h). What became of each last is in etcd, so that another server goes on from there.
 *
 * - The beginning is written down under the leader's fence before the task is begun. What nobody
 *   led for is made up for once, when the newest time missed is less than an hour ago; times that
 *   pass while it runs are left out. While the environment is paused jobs go on: they mend nothing.
 * - `config set` refuses a bad line, and the agent one that somebody wrote into etcd. `slipwayd` by
 *   itself takes schedules by `--jobs FILE`, and keeps of each job what it had when its new line is
 *   bad. Times are UTC, so no night lacks an hour.
 * - A job waits ten minutes for the environment's lock, since nobody waits for it, and takes it for
 *   one volume at a time. The history gets an entry for a run that changed something, not one for
 *   each snapshot: it is kept for ever.
 * - It deletes only snapshots with names of its own form, which people may not give
 *   (volumes/automatic.h), and none that volumes are copied from. What stays is a number of hours,
 *   days and weeks that have a snapshot, not an age: an environment that was down for a month loses
 *   nothing. Compacting drops etcd's old revisions alone; the history is in keys.
 */
#ifndef CONTROLLER_JOBS_H
#define CONTROLLER_JOBS_H

#include <pthread.h>
#include <sys/stat.h>

#include "conf/node.h"
#include "controller/job_rules.h"
#include "etcd/etcd.h"

struct controller;

enum {
#define JOB(name, ...) JOB_##name,
#include "controller/jobs.def"
#undef JOB
    JOB_COUNT
};

struct job {
    struct job_schedule schedule;
    int64_t done;        /* up to when nothing is due any more, ms of the wall clock */
    struct node *record; /* of its last run, as in etcd; NULL: none */
    char *task;          /* which this server began and whose end is not written yet; NULL: none */
};

struct jobs {
    struct controller *c;
    const char *path; /* of the schedules; NULL: nothing is scheduled */
    struct stat seen; /* of that file as it was read last; of the thread */
    pthread_t thread;
    bool started;
    pthread_mutex_t mutex; /* guards everything below */
    bool led;              /* the records are those of etcd, and nobody else writes them */
    int64_t term;          /* the leader's key when they were read: its create revision */
    char *problem;         /* of the whole file; NULL: none */
    struct node *keep;     /* {"hourly","daily","weekly"} of snapshots */
    struct job items[JOB_COUNT];
};

/* `path` is borrowed, and may be NULL. */
void jobs_init(struct jobs *js, struct controller *c, const char *path);
/* Begins to look what is due. */
int jobs_start(struct jobs *js, struct err *e);
/* Looks once, as its thread does each second. */
void jobs_look(struct jobs *js);
/* After c->stop was raised. */
void jobs_stop(struct jobs *js);
void jobs_clear(struct jobs *js);

/* {"name","summary","schedule","next","problem","task","last"}, owned: all of them, with their last
 * runs as etcd has them. */
int jobs_rows(struct node **rows, struct jobs *js, struct err *e);
/* Begins one now; *task as of tasks_begin. ERR_NOTFOUND, ERR_CONFLICT: it still runs, or another
 * server leads. */
int jobs_run(struct node **task, struct jobs *js, const char *name, const char *by, struct err *e);

#endif

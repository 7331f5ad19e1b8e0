/* SPDX-License-Identifier: MIT */
/* When a job is to be done. Pure; times are ms of the wall clock. */
#ifndef CONTROLLER_JOB_RULES_H
#define CONTROLLER_JOB_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/crontab.h"

/* What nobody was there for is made up for once, when it is not older. */
enum { JOB_MISSED_MS = 60 * 60 * 1000 };

/* Zero-initialised: never. */
struct job_schedule {
    char *line; /* as it was given; NULL: never */
    struct crontab when;
    char *problem; /* why a newer line was not taken; NULL: there is none */
};

/* Takes a line in (NULL and CONFIG_NEVER: never). A bad one is told in `problem`, and what was
 * before stays. Whether it is another one now. */
bool job_schedule_set(struct job_schedule *s, const char *line);
void job_schedule_clear(struct job_schedule *s);
/* What the last run was: of which line, NULL: none; when it began and ended, 0: it did not. */
struct job_last {
    const char *line;
    int64_t begun, ended;
};
/* Up to when nothing is due any more: what the last run answers for. What was before now is not due
 * by a line that is another one since then. */
int64_t job_done(const struct job_schedule *s, const struct job_last *last, int64_t now);
/* The time that it is to be done for now, as all up to `done` is done or not wanted; 0: none. */
int64_t job_due(const struct job_schedule *s, int64_t done, int64_t now);
/* When it is next; 0: never. */
int64_t job_next(const struct job_schedule *s, int64_t now);

#endif

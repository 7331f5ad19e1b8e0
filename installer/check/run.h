/* SPDX-License-Identifier: MIT */
/* Runs the modules that were asked for, several at once, and gathers what they say. */
#ifndef CHECK_RUN_H
#define CHECK_RUN_H

#include "check/check.h"

/* What the names of volumes begin with that a check makes and takes away again. */
#define CHECK_VOLUMES "slipway-check-"

/* Progress, one call at a time, from any thread. Each may be NULL. */
struct check_events {
    /* Before the first row: the modules that are going to run. Borrowed. */
    void (*begin)(void *arg, const struct strv *modules);
    /* {"module","test","result","code","message","advice"}; borrowed. */
    void (*row)(void *arg, enum check_result result, const struct node *row);
    void *arg;
};

struct check_report {
    struct node *rows; /* all of them, in the order they came; NULL: nothing was tried */
    size_t counts[CHECK_RESULT_COUNT];
    struct strv untested; /* modules that were named and skipped everything; without names: all
                             modules, when all of them did */
    bool good;            /* nothing failed, and nothing that was asked for is untested */
};

/*
 * `words` as in check/pick.h; none: every module that has something to look at. `ev` may be NULL.
 * *out is to be cleared in every case; on failure it has the rows until
 * then. ERR_USAGE: a module or test that there is not. ERR_INTERRUPTED: not everything was tried.
 */
int check_run(struct check_report *out, struct env *env, const struct strv *words,
              const struct check_events *ev, struct err *e);
void check_report_clear(struct check_report *r);
#define auto_check_report __attribute__((cleanup(check_report_clear)))

#endif

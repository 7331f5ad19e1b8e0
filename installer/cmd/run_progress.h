/* SPDX-License-Identifier: MIT */
/* How a running plan is shown: the link between execute's events and progress. */
#ifndef CMD_RUN_PROGRESS_H
#define CMD_RUN_PROGRESS_H

#include "cmd/cmd.h"
#include "cmd/progress.h"
#include "plan/execute.h"

struct run_progress {
    const struct cmd_context *x; /* borrowed */
    struct progress *progress;   /* made with the first plan: it knows the name */
};
/* Shows nothing until the first event. `x` is borrowed. */
void run_progress_init(struct run_progress *s, const struct cmd_context *x);
/* What converge tells it by; borrows `s`. */
struct execute_events run_progress_events(struct run_progress *s);
/* The line, or the JSON, that says what came of all of it. */
void run_progress_end(struct run_progress *s, const char *env, const struct execute_result *r,
                      int64_t took_ms);
/* In every case. */
void run_progress_clear(struct run_progress *s);

#endif

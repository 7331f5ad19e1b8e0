/* SPDX-License-Identifier: MIT */
/* How a running plan is shown: the link between execute's events and progress. */
#ifndef CMD_SHOW_H
#define CMD_SHOW_H

#include "cmd/cmd.h"
#include "cmd/progress.h"
#include "plan/execute.h"

struct show {
    const struct cmd_context *x; /* borrowed */
    struct progress *progress;   /* made with the first plan: it knows the name */
};
void show_init(struct show *s, const struct cmd_context *x);
struct execute_events show_events(struct show *s);
void show_end(struct show *s, const char *env, const struct execute_result *r, int64_t took_ms);
void show_clear(struct show *s);

#endif

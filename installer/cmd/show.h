/* SPDX-License-Identifier: MIT */
/* How a running plan is shown: a line per change, or JSON events with --json. */
#ifndef CMD_SHOW_H
#define CMD_SHOW_H

#include "cmd/cmd.h"
#include "plan/execute.h"

struct show {
    const struct cmd_context *x; /* borrowed */
    int64_t began;
    size_t total, done;
};
void show_init(struct show *s, const struct cmd_context *x);
struct execute_events show_events(struct show *s);
void show_end(struct show *s, const char *env, const struct execute_result *r, int64_t took_ms);
void show_clear(struct show *s);

#endif

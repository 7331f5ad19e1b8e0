/* SPDX-License-Identifier: MIT */
/* The last lines of one instance, followed by a thread of its own. */
#ifndef CMD_TOP_LOGS_H
#define CMD_TOP_LOGS_H

#include "base/strv.h"
#include "env/env.h"

struct top_logs;

/* A line is cut there, and the oldest of more lines are forgotten. */
enum { TOP_LOG_LINE_MAX = 2000, TOP_LOG_LINES_MAX = 2000 };

/* `env` is borrowed until top_logs_stop. *out is there after a failure too. */
int top_logs_start(struct top_logs **out, const struct env *env, const char *instance,
                   struct err *e);
/* NULL is fine. */
void top_logs_stop(struct top_logs *l);
/* Readable when there are more lines; top_logs_take ends that. */
int top_logs_fd(const struct top_logs *l);
/* Moves the lines that came since the last call behind those of `lines`; not yet made harmless. How
 * many of the oldest of `lines` went. */
size_t top_logs_take(struct strv *lines, struct top_logs *l);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * How running operations are shown. On a terminal a block that is redrawn: one line per running
 * operation with its time, and how many are done; piped, one line per change; with JSON, one object
 * per change. Any thread may report. The cursor is never hidden, so nothing has to be put back
 * after a signal; log lines are printed above the block.
 */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include <stdio.h>

enum progress_mode { PROGRESS_TERMINAL, PROGRESS_LINES, PROGRESS_JSON, PROGRESS_QUIET };
enum progress_state {
    PROGRESS_PLANNED,
    PROGRESS_STARTED, /* again with another detail: news about it */
    PROGRESS_DONE,
    PROGRESS_FAILED,
    PROGRESS_SKIPPED,
};

struct progress;
/* The mode for a stream: TERMINAL when it is one that can be redrawn, else LINES. */
enum progress_mode progress_mode_for(FILE *out);
/* `out` is borrowed. `title` heads the block and names the environment in JSON; copied. */
struct progress *progress_new(enum progress_mode mode, FILE *out, const char *title);
void progress_free(struct progress *p); /* removes the block */
void progress_set_color(struct progress *p, int on);
/* A round of `total` operations begins; ids of an earlier round are forgotten. */
void progress_begin(struct progress *p, size_t total);
/* `detail` may be NULL. */
void progress_op(struct progress *p, size_t id, const char *title, enum progress_state state,
                 const char *detail);

#endif

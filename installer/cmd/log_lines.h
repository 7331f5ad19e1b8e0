/* SPDX-License-Identifier: MIT */
/* Lines that instances print, as logs, attach and run show them: with the instance's name when
 * there are several, odd bytes made harmless, or as JSON. */
#ifndef CMD_LOG_LINES_H
#define CMD_LOG_LINES_H

#include "cmd/cmd.h"

struct log_lines {
    const struct cmd_context *x; /* borrowed */
    struct strv names;           /* of the instances; a line's source is a number here */
    bool timestamps, flush;
    bool color, error_color; /* on stdout, on stderr */
    int width;
};

/* After `names` is filled. */
void log_lines_open(struct log_lines *l, const struct cmd_context *x);
/* `text` is "2026-...Z line" as the engine gives it with timestamps; may
 * hold NUL. One at a time. */
void log_lines_print(const struct log_lines *l, size_t source, int stream, const char *text,
                     size_t len);
/* The text as one line on stdout (stream 1) or stderr, behind its instance's name. */
void log_lines_put(const struct log_lines *l, size_t source, int stream, const char *text,
                   size_t len);
void log_lines_close(struct log_lines *l);
/* "20" to 20, "all" and NULL to -1. */
int log_lines_tail(int *out, const char *text, struct err *e);

#endif

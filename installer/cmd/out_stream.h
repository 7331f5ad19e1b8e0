/* SPDX-License-Identifier: MIT */
/*
 * Standard output whose reader may stall. Whatever writes to stdout waits for the reader no longer
 * than the command's deadline and the interrupts of its user allow; from then on what is written is
 * lost, and ferror(stdout) says so.
 */
#ifndef CMD_OUT_STREAM_H
#define CMD_OUT_STREAM_H

#include <stdint.h>
#include <stdio.h>

#include "cmd/cmd.h"

struct out_stream {
    const struct cmd_context *x;
    FILE *before; /* libc's own */
    int64_t opened_ms;
    enum err_code gave_up; /* ERR_TIMEOUT or ERR_INTERRUPTED: why nobody is waited for any more */
};

/* Puts it in the place of stdout. Both are borrowed until out_stream_close. */
void out_stream_open(struct out_stream *s, const struct cmd_context *x);
/* Writes the rest and gives libc's own back. Before x->env is closed: its deadline still counts.
 * 0, or errno of what could not be written, now or earlier. */
int out_stream_close(struct out_stream *s);

#endif

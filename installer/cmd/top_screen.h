/* SPDX-License-Identifier: MIT */
/*
 * The terminal while `slipway top` has it: curses, the keys one by one, and what others write on
 * standard error kept off the picture. However it ends, the terminal is left as it was.
 */
#ifndef CMD_TOP_SCREEN_H
#define CMD_TOP_SCREEN_H

#include <poll.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"
#include "cmd/out.h"

struct top_screen;

/* Takes the terminal. Call before threads are started: they must not take its signals. */
int top_screen_open(struct top_screen **out, bool color, struct err *e);
/* Gives it back; what was kept off the screen is written then. NULL is fine. */
void top_screen_close(struct top_screen *s);
/* For another program that takes the terminal, until top_screen_resume. */
void top_screen_pause(struct top_screen *s);
void top_screen_resume(struct top_screen *s);
/* Ctrl-Z: gives it to whoever started us, until we are told to go on. */
void top_screen_stop(struct top_screen *s);
/* Until a key is there, one of `fds` (their revents say which), the size changes or `ms` are over.
 * False: the terminal is gone. `count` at most TOP_SCREEN_FDS_MAX. */
enum { TOP_SCREEN_FDS_MAX = 4 };
bool top_screen_wait(struct top_screen *s, struct pollfd *fds, size_t count, int ms);
/* The next key, as curses has it; -1: none is there. */
int top_screen_key(struct top_screen *s);
/* The last line that was written on standard error since the call before, owned, or NULL. */
char *top_screen_told(struct top_screen *s);

/* ---- drawing: into memory, until top_screen_show ---- */

/* Of the terminal, as it is now. */
void top_screen_size(const struct top_screen *s, size_t *lines, size_t *columns);
/* An empty screen, to be drawn again. */
void top_screen_begin(struct top_screen *s);
struct top_at {
    size_t line, column, width;
    enum out_color color;
    bool reverse, right; /* right: the text ends where the cell does */
};
/* A cell's text, cut and filled to its width; outside of the screen nothing. */
void top_screen_put(struct top_screen *s, const struct top_at *at, const char *text);
void top_screen_show(struct top_screen *s);

#endif

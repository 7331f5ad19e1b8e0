/* SPDX-License-Identifier: MIT */
/* What the keys of `slipway top` do. */
#ifndef CMD_TOP_KEYS_H
#define CMD_TOP_KEYS_H

#include "cmd/cmd.h"
#include "cmd/top_draw.h"
#include "cmd/top_logs.h"

struct top {
    struct cmd_context *x;
    struct top_screen *screen;
    struct top_feed *feed;
    struct top_logs *logs; /* TOP_LOG */
    struct top_view view;
    bool leave;
};

/* One key, as top_screen_key gives it. */
void top_key(struct top *t, int key);
/* Says it in the last line for some seconds; takes the text. */
void top_notice(struct top *t, char *text);
/* Ends the log, when one is shown. */
void top_leave_log(struct top *t);

#endif

/* SPDX-License-Identifier: MIT */
/* What `slipway top` shows, and how that is drawn on a terminal of any size. */
#ifndef CMD_TOP_DRAW_H
#define CMD_TOP_DRAW_H

#include "cmd/top_feed.h"
#include "cmd/top_model.h"
#include "cmd/top_screen.h"

enum top_mode { TOP_LIST, TOP_FILTER, TOP_CONFIRM, TOP_HELP, TOP_LOG };

struct top_view {
    const char *env; /* its name */
    enum top_mode mode;
    char *asked; /* TOP_CONFIRM: which instance is meant */
    struct top_model model;
    struct top_news news;
    bool volumes;         /* they are shown in the place of the events */
    char *notice;         /* the last line says this until then; NULL: the keys */
    int64_t notice_until; /* clock.h */
    char *log_name;       /* TOP_LOG: whose */
    struct strv log;      /* and its lines */
    size_t log_back;      /* lines between the window and the newest one */
};

/* Draws all of it. Moves the model's window to its chosen row. */
void top_draw(struct top_screen *s, struct top_view *v);
/* How many lines of the instances or of the log a screen shows: a page. */
size_t top_draw_page(const struct top_screen *s, const struct top_view *v);

#endif

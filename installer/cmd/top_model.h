/* SPDX-License-Identifier: MIT */
/* Which rows `slipway top` shows, in which order, and which of them is chosen. Pure. */
#ifndef CMD_TOP_MODEL_H
#define CMD_TOP_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/node.h"

enum top_sort {
    TOP_BY_NAME, /* as people count; the others: most of it first, what is unknown last */
    TOP_BY_CPU,
    TOP_BY_MEMORY,
    TOP_BY_NET,
    TOP_BY_BLOCK,
    TOP_BY_RESTARTS,
    TOP_BY_HEALTH, /* what is not well first */
    TOP_SORTS,
};
/* Static: "name", "cpu", ... */
const char *top_sort_name(enum top_sort sort);

struct top_row {
    const struct node *status; /* a row of status.h */
    const struct node *usage;  /* of usage.h, or NULL */
};

enum { TOP_FILTER_MAX = 64 };

/* {0} shows everything by name, and has chosen nothing. */
struct top_model {
    enum top_sort sort;
    bool only_unhealthy;
    char filter[TOP_FILTER_MAX]; /* UTF-8; "" shows all */
    struct top_row *rows;
    size_t count;
    size_t chosen; /* in rows; stays with its instance while that is shown */
    char *name;    /* of the chosen instance, or NULL */
    size_t first;  /* the row at the top of the screen */
};

/* From what was read; both are borrowed until the next call. `usage` may be NULL. */
void top_model_fill(struct top_model *m, const struct node *status, const struct node *usage);
void top_model_clear(struct top_model *m);
/* Chooses another row, `by` further down; the first and the last are the ends. */
void top_model_move(struct top_model *m, long by);
/* Moves the window of `height` rows so that the chosen one is in it. */
void top_model_scroll(struct top_model *m, size_t height);
/* The chosen row; NULL when none is shown. */
const struct top_row *top_model_row(const struct top_model *m);
/* Adds a typed character of `len` bytes to the filter, or with len 0 takes the last one away. */
void top_model_type(struct top_model *m, const char *c, size_t len);

#endif

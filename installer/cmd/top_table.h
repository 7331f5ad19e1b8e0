/* SPDX-License-Identifier: MIT */
/* The table of instances on the screen. */
#ifndef CMD_TOP_TABLE_H
#define CMD_TOP_TABLE_H

#include "cmd/top_model.h"
#include "cmd/top_screen.h"

struct top_area {
    size_t line, lines, columns;
};

/* Heads and rows from m->first on; as many columns as fit, the most telling ones first. */
void top_table_draw(struct top_screen *s, const struct top_model *m, const struct top_area *area);

#endif

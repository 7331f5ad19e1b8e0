/* SPDX-License-Identifier: MIT */
/* Below the table: why the chosen instance is not well, and the last events or the volumes. */
#ifndef CMD_TOP_PANEL_H
#define CMD_TOP_PANEL_H

#include "cmd/top_draw.h"
#include "cmd/top_table.h"
#include "cmd/top_text.h"

/* Draws it into `area`, cut to its size. */
void top_panel_draw(struct top_screen *s, const struct top_view *v, const struct top_area *area);

#endif

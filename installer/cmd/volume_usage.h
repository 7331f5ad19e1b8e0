/* SPDX-License-Identifier: MIT */
/*
 * How a volume is used where a driver serves it: lines of the driver's file `usage` in its
 * component folder, "title: text" with ${variables}, so that no driver is known here.
 */
#ifndef CMD_VOLUME_USAGE_H
#define CMD_VOLUME_USAGE_H

#include "base/err.h"
#include "conf/node.h"

/* List of {"title","line"} from the text of such a file; lines with # are left out. ERR_CONFIG
 * names an unknown variable. Pure. */
int volume_usage_render(struct node **out, const char *text, const struct node *variables,
                        struct err *e);

#endif

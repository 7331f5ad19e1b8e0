/* SPDX-License-Identifier: MIT */
/* What happened to instances, as lines "12:00:00Z osd-1: ended with status 137". Pure. */
#ifndef CMD_TOP_EVENTS_H
#define CMD_TOP_EVENTS_H

#include <stdbool.h>

#include "base/strv.h"
#include "conf/node.h"

enum { TOP_EVENTS_MAX = 100 };

/* Appends one of Docker's events; true when it says something to an operator. The oldest of too
 * many lines go. */
bool top_events_add(struct strv *lines, const struct node *event);
/* Appends a line for each instance whose state or health is another one in a later status; `before`
 * NULL: nothing to compare with. */
void top_events_compare(struct strv *lines, const struct node *before, const struct node *after);

#endif

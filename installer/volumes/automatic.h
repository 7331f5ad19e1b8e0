/* SPDX-License-Identifier: MIT */
/*
 * Snapshots that a schedule makes: their names, which nobody else may give, and which of them have
 * had their time. Pure. Times are ms of the wall clock, hours, days and weeks (from Monday) UTC.
 */
#ifndef VOLUMES_AUTOMATIC_H
#define VOLUMES_AUTOMATIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"

enum { AUTOMATIC_NAME_SIZE = 24 };
/* "auto-2026-11-30T03-00Z", of the minute. */
void automatic_name(char out[AUTOMATIC_NAME_SIZE], int64_t time);
/* Whether it is just such a name; then *time is its minute. */
bool automatic_parse(int64_t *time, const char *name);

/* How many stay: the newest one of each of the last so many hours, days and weeks that have one.
 * What one of them keeps stays. */
struct automatic_keep {
    int64_t hourly, daily, weekly;
};
/* Adds to `out` those of a volume's snapshots that may go, the oldest first; none when nothing
 * says how many stay. Other names are somebody's, and are never among them; nor are those of a time
 * after `now`, made while a clock was wrong, which keep no place of others either. */
void automatic_old(struct strv *out, const struct strv *snapshots, const struct automatic_keep *k,
                   int64_t now);

#endif

/* SPDX-License-Identifier: MIT */
/* Monotonic time, deadlines and back-off. What clock_now.c has is a seam of the tests. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

int64_t clock_now_ms(void); /* CLOCK_MONOTONIC */
/* CLOCK_BOOTTIME, which goes on while the machine sleeps, as the time of a lease does that another
 * machine counts. */
int64_t clock_lease_ms(void);
int64_t clock_wall_ms(void);     /* CLOCK_REALTIME since the epoch */
void clock_sleep_ms(int64_t ms); /* a wait that somebody may cancel: until_sleep_ms */

/* A point in monotonic time, milliseconds; CLOCK_NEVER waits for ever. */
#define CLOCK_NEVER INT64_MAX
int64_t clock_deadline(int64_t timeout_ms); /* now + timeout */
int64_t clock_left_ms(int64_t deadline);    /* 0 when passed */
bool clock_passed(int64_t deadline);

/* Exponential back-off with full jitter. {0} starts at first_ms. */
struct clock_backoff {
    int64_t first_ms, max_ms;
    unsigned tries;
};
int64_t clock_backoff_next(struct clock_backoff *b);

/* "2026-01-31T23:59:59.123Z" of a wall time into out[32]. */
void clock_format(char out[32], int64_t wall_ms);
/* What clock_format has written; false for anything else. */
bool clock_parse(int64_t *wall_ms, const char *text);
/* "3 s", "5 min", "2 h", "4 d" into out[32]: for people. */
void clock_format_span(char out[32], int64_t ms);

#endif

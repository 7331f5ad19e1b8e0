/* SPDX-License-Identifier: MIT */
/*
 * When something is to be done again and again, as a line of crontab says it. Pure. Times are UTC,
 * so no hour comes twice or not at all.
 *
 *   minute 0-59, hour 0-23, day 1-31, month 1-12 or jan-dec, weekday 0-7 or sun-sat; 0, 7: Sunday
 *
 * Each is *, a number, a range 1-5, a list 1,3,5-7, or a range with a step, 10-50/20; * is a range
 * too. Or the line is @hourly, @daily, @weekly, @monthly or @yearly. As in Vixie's cron it is the
 * days that fit `day` or `weekday` when neither begins with *, else those that fit both.
 */
#ifndef CONF_CRONTAB_H
#define CONF_CRONTAB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct crontab {
    uint64_t minutes, hours, days, months, weekdays; /* bit n: n is one of them; Sunday is 0 */
    bool any_day, any_weekday;                       /* the field begins with * */
};

/* Every line that it takes, in short; for the JSON Schema. */
#define CRONTAB_PATTERN "^(@(hourly|daily|weekly|monthly|yearly)|[^ \\t]+([ \\t]+[^ \\t]+){4})$"

/* ERR_CONFIG with a sentence without the line in front; what never comes (31 February) too. */
int crontab_parse(struct crontab *out, const char *line, struct err *e);
/* The first time after `after`, both in ms of the wall clock (>= 0). */
int64_t crontab_next(const struct crontab *c, int64_t after);
/* The newest time after `after` and not after `until`; 0: none. Costs a step for each between. */
int64_t crontab_newest(const struct crontab *c, int64_t after, int64_t until);

#endif

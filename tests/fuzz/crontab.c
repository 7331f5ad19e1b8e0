/* SPDX-License-Identifier: MIT */
/* Schedules: what is accepted says the same when it is written as lists of numbers, and its next
 * times fit it, in order. */
#include "conf/crontab.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_list(struct buf *b, uint64_t set)
{
    const char *between = "";

    for (int n = 0; n < 64; n++)
        if (set >> n & 1) {
            buf_printf(b, "%s%d", between, n);
            between = ",";
        }
}

/* `any`: the field began with a star, and still does, where it has all that the star stands for. */
static void add_field(struct buf *b, uint64_t set, uint64_t all)
{
    if (set == all)
        buf_putc(b, '*');
    else
        add_list(b, set);
    buf_putc(b, ' ');
}

static void same_as_lists(const struct crontab *c)
{
    auto_buf struct buf b = {0};
    struct crontab again;
    struct err e;

    buf_init(&b, 4096);
    add_list(&b, c->minutes);
    buf_putc(&b, ' ');
    add_list(&b, c->hours);
    buf_putc(&b, ' ');
    add_field(&b, c->days, c->any_day ? 0xfffffffe : 0);
    add_list(&b, c->months);
    buf_putc(&b, ' ');
    add_field(&b, c->weekdays, c->any_weekday ? 0x7f : 0);
    if (crontab_parse(&again, buf_str(&b), &e) < 0 || again.minutes != c->minutes ||
        again.hours != c->hours || again.days != c->days || again.months != c->months ||
        again.weekdays != c->weekdays)
        abort();
}

static void fits(const struct crontab *c, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm t;

    gmtime_r(&seconds, &t);
    if (ms % 60000 || !(c->minutes >> t.tm_min & 1) || !(c->hours >> t.tm_hour & 1) ||
        !(c->months >> (t.tm_mon + 1) & 1) ||
        !((c->days >> t.tm_mday & 1) || (c->weekdays >> t.tm_wday & 1)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *line = mem_strndup((const char *)data, size);
    int64_t t = INT64_C(1780000000000) + (int64_t)size;
    struct crontab c;
    struct err e;

    if (crontab_parse(&c, line, &e) < 0) {
        if (e.code != ERR_CONFIG || !*e.msg)
            abort();
        return 0;
    }
    if (!c.days || c.days >> 32 || !c.weekdays || c.weekdays >> 7)
        abort();
    same_as_lists(&c);
    for (int i = 0; i < 3; i++) {
        int64_t next = crontab_next(&c, t);

        if (next <= t || crontab_next(&c, next - 1) != next)
            abort();
        fits(&c, next);
        t = next;
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

int64_t clock_deadline(int64_t timeout_ms)
{
    int64_t now = clock_now_ms();

    if (timeout_ms >= CLOCK_NEVER - now)
        return CLOCK_NEVER;
    return now + (timeout_ms > 0 ? timeout_ms : 0);
}

int64_t clock_left_ms(int64_t deadline)
{
    if (deadline == CLOCK_NEVER)
        return CLOCK_NEVER;
    int64_t now = clock_now_ms();
    return deadline > now ? deadline - now : 0;
}

bool clock_passed(int64_t deadline)
{
    return clock_left_ms(deadline) == 0;
}

int64_t clock_backoff_next(struct clock_backoff *b)
{
    int64_t most = b->first_ms > 0 ? b->first_ms : 1;
    uint32_t r;

    for (unsigned i = 0; i < b->tries && most < b->max_ms; i++)
        most *= 2;
    if (b->max_ms > 0 && most > b->max_ms)
        most = b->max_ms;
    b->tries++;
    if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != (ssize_t)sizeof(r))
        r = (uint32_t)clock_now_ms();
    return 1 + (int64_t)(r % (uint64_t)most);
}

void clock_format(char out[32], int64_t wall_ms)
{
    int64_t ms = wall_ms % 1000;
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;

    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    out[0] = '\0';
    if (!gmtime_r(&seconds, &tm))
        return;
    size_t n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    if (n && n < 26)
        snprintf(out + n, 32 - n, ".%03dZ", (int)ms);
}

bool clock_parse(int64_t *wall_ms, const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int ms, used = 0;

    if (!end || sscanf(end, ".%3dZ%n", &ms, &used) != 1 || used != 5 || end[used])
        return false;
    *wall_ms = (int64_t)timegm(&tm) * 1000 + ms;
    return true;
}

void clock_format_span(char out[32], int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;

    if (ms < 0)
        ms = 0;
    while (i < 4 && ms < units[i].ms)
        i++;
    snprintf(out, 32, "%lld %s", (long long)(ms / units[i].ms), units[i].unit);
}

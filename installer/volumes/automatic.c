/* SPDX-License-Identifier: MIT */
#include "volumes/automatic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };
static const char PREFIX[] = "auto-";

void automatic_name(char out[AUTOMATIC_NAME_SIZE], int64_t time)
{
    char text[32];

    clock_format(text, time); /* 2026-11-30T03:00:... */
    snprintf(out, AUTOMATIC_NAME_SIZE, "%s%.13s-%.2sZ", PREFIX, text, text + 14);
}

bool automatic_parse(int64_t *time, const char *name)
{
    char again[AUTOMATIC_NAME_SIZE];
    const char *at = name + strlen(PREFIX);

    if (strlen(name) != AUTOMATIC_NAME_SIZE - 2 || strncmp(name, PREFIX, strlen(PREFIX)) != 0)
        return false;
    auto_free char *text = mem_printf("%.13s:%.2s:00.000Z", at, at + 14);

    if (!clock_parse(time, text))
        return false;
    automatic_name(again, *time);
    return strcmp(name, again) == 0;
}

/* ---- which stay ---- */

struct one {
    int64_t time;
    bool stays;
};

static int newest_first(const void *a, const void *b)
{
    const struct one *p = a, *q = b;

    return p->time < q->time ? 1 : p->time > q->time ? -1 : 0;
}

/* The newest of each span, of the last `count` spans that have one. `shift`: where one begins. */
static void keep_newest(struct one *all, size_t n, int64_t span, int64_t shift, int64_t count)
{
    int64_t last = -1;

    for (size_t i = 0; i < n && count > 0; i++) {
        int64_t number = (all[i].time + shift) / span;

        if (number == last)
            continue;
        all[i].stays = true;
        last = number;
        count--;
    }
}

void automatic_old(struct strv *out, const struct strv *snapshots, const struct automatic_keep *k,
                   int64_t now)
{
    auto_free struct one *all = mem_array(snapshots->count + 1, sizeof(*all));
    size_t n = 0;

    if (k->hourly <= 0 && k->daily <= 0 && k->weekly <= 0)
        return;
    for (size_t i = 0; i < snapshots->count; i++)
        n += automatic_parse(&all[n].time, snapshots->items[i]) && all[n].time <= now;
    if (n > 1)
        qsort(all, n, sizeof(*all), newest_first);
    keep_newest(all, n, HOUR_MS, 0, k->hourly);
    keep_newest(all, n, DAY_MS, 0, k->daily);
    keep_newest(all, n, INT64_C(7) * DAY_MS, INT64_C(3) * DAY_MS, k->weekly); /* 1970: a Thursday */
    while (n-- > 0) {
        char name[AUTOMATIC_NAME_SIZE];

        automatic_name(name, all[n].time);
        if (!all[n].stays)
            strv_add(out, name);
    }
}

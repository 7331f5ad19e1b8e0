/* SPDX-License-Identifier: MIT */
#include "controller/job_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/manifest.h"

bool job_schedule_set(struct job_schedule *s, const char *line)
{
    struct crontab when = {0};
    struct err e;
    bool same;

    if (line && strcmp(line, CONFIG_NEVER) == 0)
        line = NULL;
    free(steal(s->problem));
    if (line && crontab_parse(&when, line, &e) < 0) {
        s->problem = mem_printf("\"%.100s\" is not a schedule: %s", line, e.msg);
        return false;
    }
    same = line && s->line ? strcmp(line, s->line) == 0 : line == s->line;
    if (same)
        return false;
    free(s->line);
    s->line = line ? mem_strdup(line) : NULL;
    s->when = when;
    return true;
}

void job_schedule_clear(struct job_schedule *s)
{
    free(s->line);
    free(s->problem);
    *s = (struct job_schedule){0};
}

int64_t job_done(const struct job_schedule *s, const struct job_last *last, int64_t now)
{
    int64_t done = last->ended > last->begun ? last->ended : last->begun;
    bool same = last->line && s->line && strcmp(last->line, s->line) == 0;

    return same && done < now ? done : now;
}

int64_t job_due(const struct job_schedule *s, int64_t done, int64_t now)
{
    int64_t after = done > now - JOB_MISSED_MS ? done : now - JOB_MISSED_MS;

    return s->line ? crontab_newest(&s->when, after, now) : 0;
}

int64_t job_next(const struct job_schedule *s, int64_t now)
{
    return s->line ? crontab_next(&s->when, now) : 0;
}

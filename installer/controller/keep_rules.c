/* SPDX-License-Identifier: MIT */
#include "controller/keep_rules.h"

const char *keep_state_name(enum keep_state s)
{
    static const char *const names[] = {"", "waiting", "crash loop", "unhealthy"};

    return names[s];
}

void keep_forgive(struct keep_record *r)
{
    r->tries = r->deaths = 0;
    r->next = r->unwell = 0;
    r->state = KEEP_STATE_FINE;
}

/* A new container counts from zero again. */
static void count_crashes(struct keep_record *r, const struct keep_seen *s)
{
    if (r->known && s->crashes > r->crashes)
        r->deaths += (int)(s->crashes - r->crashes);
    r->crashes = s->crashes;
    r->known = true;
}

static void count_time(struct keep_record *r, const struct keep_seen *s, int64_t now)
{
    if (s->ok && !s->drifted) {
        r->unwell = 0;
        r->well = r->well ? r->well : now;
        if (now - r->well >= KEEP_RESET_MS)
            keep_forgive(r);
        return;
    }
    r->well = 0;
    r->unwell = r->unwell ? r->unwell : now;
}

/* What it needs, without regard to what was tried. */
static enum keep_act need(const struct keep_record *r, const struct keep_seen *s, int64_t now)
{
    if (s->dead || s->drifted)
        return KEEP_ACT_MEND;
    if (s->silent)
        return now - r->unwell >= KEEP_SILENT_MS ? KEEP_ACT_MEND : KEEP_ACT_NONE;
    if (s->unhealthy && now - r->unwell >= KEEP_UNHEALTHY_MS)
        return KEEP_ACT_RESTART;
    return KEEP_ACT_NONE;
}

enum keep_act keep_decide(struct keep_record *r, const struct keep_seen *s, int64_t now)
{
    bool held = s->paused || s->stopped;
    enum keep_act act;

    count_crashes(r, s);
    if (r->was_held && !held)
        keep_forgive(r);
    r->was_held = held;
    count_time(r, s, now);
    r->state = KEEP_STATE_FINE;
    if (!s->stopped && r->deaths > KEEP_LOOP_DEATHS && (!r->well || now - r->well < KEEP_STEADY_MS))
        r->state = KEEP_STATE_LOOP;
    if (s->stopped || r->well)
        return KEEP_ACT_NONE;
    act = need(r, s, now);
    if (act == KEEP_ACT_NONE || s->paused)
        return KEEP_ACT_NONE;
    /* A store that is full, or that waits for others, is no better after a restart. */
    if (act == KEEP_ACT_RESTART && s->is_needed) {
        r->state = KEEP_STATE_LEFT;
        return KEEP_ACT_NONE;
    }
    if (now >= r->next)
        return act;
    if (r->state == KEEP_STATE_FINE)
        r->state = KEEP_STATE_WAITING;
    return KEEP_ACT_NONE;
}

void keep_tried(struct keep_record *r, int64_t now)
{
    int64_t wait = KEEP_FIRST_MS;

    for (int i = 0; i < r->tries && wait < KEEP_MOST_MS; i++)
        wait *= 2;
    r->tries++;
    r->deaths++;
    r->next = now + (wait < KEEP_MOST_MS ? wait : KEEP_MOST_MS);
    r->unwell = 0;
}

void keep_put_off(struct keep_record *r, int64_t now, int64_t ms)
{
    if (r->next < now + ms)
        r->next = now + ms;
}

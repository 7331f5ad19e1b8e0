/* SPDX-License-Identifier: MIT */
/*
 * What is to be done about an instance, from how it looks now and what was done before. Pure: the
 * time is passed in, in milliseconds of a clock that only goes on.
 *
 * The first time at once; then 5 s, 10 s, ... up to 300 s after the try before. One that was well
 * for ten minutes, one that somebody held and let go, and after a change of document or
 * configuration all start from the beginning.
 */
#ifndef CONTROLLER_KEEP_RULES_H
#define CONTROLLER_KEEP_RULES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    KEEP_FIRST_MS = 5000,
    KEEP_MOST_MS = 300 * 1000,
    KEEP_RESET_MS = 10 * 60 * 1000,
    KEEP_SILENT_MS = 20 * 1000,    /* a silent agent may lack its link */
    KEEP_UNHEALTHY_MS = 60 * 1000, /* what is unwell for a moment mends itself */
    KEEP_LOOP_DEATHS = 3,          /* with the next one it is a crash loop */
    KEEP_STEADY_MS = 60 * 1000,    /* it is one until it was well for that long */
};

/* One look at one instance. */
struct keep_seen {
    bool dead;    /* no container, or one that does not run and that Docker does not start again */
    bool ok;      /* ready, and not unhealthy */
    bool drifted; /* it runs, and not in its place in the network */
    bool silent;  /* it runs, and its agent has not reported */
    bool unhealthy; /* it is ready, and says that it is not well */
    bool is_needed;
    bool paused, stopped; /* somebody wants it left alone; wants it not to run */
    int64_t crashes;      /* how often Docker has started this container again */
};

enum keep_act {
    KEEP_ACT_NONE,
    KEEP_ACT_MEND,    /* by the plan of `up`: made, started, replaced, or given its link */
    KEEP_ACT_RESTART, /* it runs, and is not well */
};

enum keep_state {
    KEEP_STATE_FINE,    /* or nothing that is its business */
    KEEP_STATE_WAITING, /* for the next try */
    KEEP_STATE_LOOP,    /* it died several times */
    KEEP_STATE_LEFT,    /* unhealthy, and has data: a person decides */
};
/* "", "waiting", "crash loop", "unhealthy". Static. */
const char *keep_state_name(enum keep_state s);

/* What is remembered of one instance. Zero-initialised. */
struct keep_record {
    int tries;             /* since it was well for long */
    int deaths;            /* likewise; with those that Docker mended */
    int64_t next;          /* not before; 0: at once */
    int64_t well, unwell;  /* since when it is; 0: it is not */
    int64_t crashes;       /* as seen last */
    bool known, was_held;  /* it was seen before; somebody held it then */
    enum keep_state state; /* as decided last */
};

/* What to do about an instance as it is seen `now` (clock_now_ms); what was seen goes into *r. */
enum keep_act keep_decide(struct keep_record *r, const struct keep_seen *s, int64_t now);
/* It was tried, whatever came of it. */
void keep_tried(struct keep_record *r, int64_t now);
/* It could not be tried, because another run has the lock: soon again. */
void keep_put_off(struct keep_record *r, int64_t now, int64_t ms);
/* Starts from the beginning: a person did something about it. */
void keep_forgive(struct keep_record *r);

#endif

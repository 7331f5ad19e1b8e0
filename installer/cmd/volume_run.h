/* SPDX-License-Identifier: MIT */
/*
 * One step of a volume command: the environment as its document says it, a change of one map of
 * one component or instance, and the wait for the word of the agents that it is in effect. What an
 * agent refuses is taken back, so that a wrong wish does not stand in the way of the next one.
 */
#ifndef CMD_VOLUME_RUN_H
#define CMD_VOLUME_RUN_H

#include "cmd/config.h"
#include "cmd/volume.h"

struct volume_options {
    int64_t lock_wait_ms;
    bool no_wait;
    bool unrecorded; /* not the user's: no entry in `config history` */
};
/* Rows of the options table that every changing command has; `type` embeds `common`. */
#define VOLUME_OPTIONS(type)                                                                       \
    {"lock-wait",                                                                                  \
     0,                                                                                            \
     OPT_DURATION,                                                                                 \
     "TIME",                                                                                       \
     "wait for another run that holds the lock (default: "                                         \
     "10s)",                                                                                       \
     offsetof(struct type, common.lock_wait_ms)},                                                  \
    {                                                                                              \
        "no-wait", 0, OPT_FLAG, NULL, "record the change and go",                                  \
            offsetof(struct type, common.no_wait)                                                  \
    }
#define VOLUME_NEEDS (CMD_NEEDS_NAME | CMD_NEEDS_CATALOG | CMD_NEEDS_ETCD)

struct volume_run {
    struct cmd_context *x;
    const struct volume_options *options;
    int64_t began, deadline;
    struct config_state state;
    struct spec *spec; /* as it is before the change */
    const struct spec_component *maker;
    struct volume_maps maps; /* copies in effect, to be changed and put */
    struct node *attached;   /* maps.attached */
};

int volume_run_open(struct volume_run *r, struct cmd_context *x, const struct volume_options *o,
                    struct err *e);
/* Reads everything again: before a second step. */
int volume_run_again(struct volume_run *r, struct err *e);
void volume_run_close(struct volume_run *r);
/* Copy of what an instance serves, owned. */
struct node *volume_run_served(const struct volume_run *r, const struct spec_instance *i);

/* Whether its agent answers. */
bool volume_run_alive(const struct volume_run *r, const struct spec_instance *i);

struct volume_step {
    const char *what;         /* for lock and audit: "volume create" */
    const char *target, *key; /* "ceph-mgr", "volumes" */
    const struct node *map;   /* its new value */
    const struct strv *names; /* the entries that change */
    const char *noun;         /* what a hook calls them; NULL: "volume" */
    bool no_wait;             /* the other side is known to be dead */
};
/* Stores and waits; ERR_UNHEALTHY when the agent refuses, after taking the change back. */
int volume_run_step(struct volume_run *r, const struct volume_step *s, struct err *e);
/* A step that stores the maker's volumes as maps.volumes has them now. Without `wait` nobody waits:
 * there is nothing for the maker to do. */
int volume_run_put(struct volume_run *r, const char *what, const struct strv *names, bool wait,
                   struct err *e);

/* What an agent says of these volumes ("volume NAME: why") in the text of a failed hook: that line,
 * or NULL when it speaks only of other volumes. Owned. */
char *volume_complaint(const char *error, const char *noun, const struct strv *names);

/* "volume a created" or its JSON, with the time it took. */
void volume_run_say(const struct volume_run *r, const struct strv *names, const char *done);

#endif

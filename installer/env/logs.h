/* SPDX-License-Identifier: MIT */
/* What instances have printed, and print: lines come by callback. */
#ifndef ENV_LOGS_H
#define ENV_LOGS_H

#include "env/env.h"

struct logs_line {
    size_t source;    /* the instance, as a number in the names that were asked for */
    int stream;       /* 1: standard output, 2: error */
    const char *text; /* "2026-01-31T12:00:00.123456789Z line"; may hold NUL */
    size_t len;
};

struct logs_opts {
    bool follow;               /* go on until nobody wants more */
    int tail;                  /* the last lines of each; -1: all */
    const char *since, *until; /* of logs_time, or NULL */
    size_t held_max;           /* bytes of lines that are held to be sorted; 0: 256 MiB */
    /* One call at a time, from any thread; returns whether more is wanted. */
    bool (*line)(void *arg, const struct logs_line *line);
    void *arg;
};

/* Lines of instances with a container. Of several, unless they are followed, in the order of time;
 * *dropped counts those for which there was no memory then. Ends well when the environment's work
 * is cancelled. The first failure, after what could be had of the others. */
int logs_read(size_t *dropped, struct env *env, const struct strv *names, const struct logs_opts *o,
              struct err *e);

/* A time as logs_opts wants it, owned, of a duration until now ("10min"), Unix time or ISO 8601
 * (UTC). `what` names it in the ERR_USAGE. */
int logs_time(char **out, const char *what, const char *text, struct err *e);

#endif

/* SPDX-License-Identifier: MIT */
/* What the commands of volumes and pools share. */
#ifndef CMD_VOLUME_COMMON_H
#define CMD_VOLUME_COMMON_H

#include "cmd/ask.h"
#include "env/volumes.h"

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

/* A number of bytes as people write it, into out[32]; NULL when there is none. */
const char *volume_size(char out[32], const struct node *row, const char *key);

/* A list of volumes or pools: what `read` finds, as JSON or by `print`. */
int volume_list(struct cmd_context *x,
                int (*read)(struct node **rows, struct env *env, struct err *e),
                void (*print)(const struct cmd_context *x, const struct node *rows), struct err *e);

/* What was done. */
struct volume_said {
    const struct strv *names;
    const char *done; /* "created" */
    const struct volume_options *options;
    int64_t began;      /* clock_now_ms */
    const char *partly; /* of those in options->partly; NULL: there are none */
};
/* "a: created" or "a: already created", or its JSON with the time it took. */
void volume_say(const struct cmd_context *x, const struct volume_said *s);

#endif

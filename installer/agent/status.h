/* SPDX-License-Identifier: MIT */
/* What the agent says about the instance: in etcd (`status`, `applied`), and in a file beside the
 * secrets for Docker's health check, which must work without a network. Texts: model/keys.h. */
#ifndef AGENT_STATUS_H
#define AGENT_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/release.h"
#include "base/strv.h"

enum state { STATE_STARTING, STATE_READY, STATE_STOPPING, STATE_FAILED };
enum health { HEALTH_UNKNOWN, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

struct status {
    enum state state;
    enum health health;
    char *reason;     /* one line, "" when there is nothing to say */
    int64_t since_ms; /* wall time of the last change of state or health */
    unsigned restarts;
    const char *ended; /* how the daemon ended before this start, borrowed; NULL: nothing to tell */
    int64_t ended_ms;
    bool from_snapshot;
    char release[RELEASE_NAME_SIZE]; /* of the agent: base/release.h; "" is "image" */
    int64_t release_since_ms;        /* wall time of its start */
    struct strv bad;                 /* releases that were put back in this container */
};
enum { STATUS_BAD_MAX = 16 };

/* Fills release and bad. */
void status_find_release(struct status *s);

/* True when something is different now. `reason` NULL: as it is. */
bool status_set(struct status *s, enum state state, enum health health, const char *reason);
/* Whether two reasons differ in more than their numbers, which may change with every look. */
bool status_reason_is_other(const char *a, const char *b);
void status_clear(struct status *s);
char *status_text(const struct status *s); /* owned */

struct applied {
    int64_t revision;
    const char *hash;
    const char *error;          /* NULL: it went well */
    const struct strv *pending; /* NULL: none */
    bool had_data;              /* it was ready with a data volume, now or earlier */
};
char *applied_text(const struct applied *a); /* owned */

/* The file; `every_ms` is how often it is written at least. */
int status_save(const struct status *s, const char *run_dir, struct err *e);
/* The health check: 0 healthy, 1 not; *line is owned and says why. */
int status_check(char **line, const char *run_dir);
/* State in the file of an earlier agent; STATE_STARTING when there is none. */
enum state status_load_state(const char *run_dir);

#endif

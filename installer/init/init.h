/* SPDX-License-Identifier: MIT */
/*
 * slipway-init, PID 1 of a component container: block signals, wait, forward, reap. It starts
 * slipway-agent and, when the agent says so, services; the one marked main decides the container's
 * end. The agent may die and come back: services do not notice. No network, no heap once the loop
 * runs.
 */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/supervise.h"

enum {
    INIT_REST_GRACE_MS = 3000,   /* for everything that is not the main daemon */
    INIT_BACKOFF_FIRST_MS = 100, /* between two starts of the agent */
    INIT_BACKOFF_MAX_MS = 10000,
    INIT_EXEC_DEADLINE_MS = 5000, /* for the step from fork to exec */
};

/* ---- spawn.c -----------------------------------------------------------------------------------
 */

struct spawn {
    const char *const *argv; /* NULL-terminated */
    const char *const *env;  /* NULL: this process's own, plus SLIPWAY_INIT_FD=keep_fd, and its
                              * standard input; else that is /dev/null */
    const char *cwd;         /* NULL or "": / with env, else unchanged */
    int keep_fd;             /* stays open over the exec, or -1 */
    bool set_user;
    uint32_t uid, gid;
    const uint32_t *groups;
    size_t group_count;
};
/* Forks and executes in a session of its own. 0 and *pid; or 126/127 when it could not be executed
 * (then nothing is left of it). */
int spawn_run(pid_t *pid, const struct spawn *s);
/* Sends to every process of this container (PID 1) or to every child: what is left at the end. */
void spawn_signal_all(int signal);
/* One line on stderr, at most 500 bytes. */
void spawn_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- service.c ----------------------------------------------------------------------------------
 */

struct service {
    char name[SUPERVISE_NAME_MAX], tag[SUPERVISE_TAG_MAX];
    pid_t pid; /* 0: free row */
    bool main;
    bool stop_asked; /* by the agent: its end does not end the container */
    int stop_signal;
    int32_t grace_ms;
    int64_t since_ms; /* wall */
    int64_t kill_at;  /* monotonic; 0: not stopping */
};

struct init {
    enum { PHASE_RUN, PHASE_STOP_MAIN, PHASE_STOP_REST, PHASE_KILL } phase;
    struct service services[SUPERVISE_SERVICES_MAX];
    int64_t deadline;               /* of PHASE_STOP_REST */
    int status;                     /* the exit status to be; -1: the agent's decides */
    pid_t agent;                    /* 0: not running */
    int socket;                     /* to the agent, or -1 */
    int signals;                    /* signalfd */
    int64_t agent_due, agent_since; /* monotonic */
    int64_t backoff_ms;
    uint32_t agent_starts;
    int agent_status; /* of the last one that ended */
    char **agent_argv;
    struct supervise_msg msg; /* received */
    struct supervise_msg reply;
};

struct service *service_find(struct init *in, const char *name); /* or NULL */
struct service *service_main(struct init *in);                   /* or NULL */
/* Carries out in->msg. */
void service_handle(struct init *in);
/* Sends the stop signal and notes when to kill; a second call changes nothing. */
void service_stop(struct service *s);
/* Takes note of the end of a child; false when it was no service. */
bool service_ended(struct init *in, pid_t pid, int status);
/* Kills what is over its grace. */
void service_check_deadlines(struct init *in);
/* Sends in->reply unless the agent is away or does not read (it can ask again). */
void service_tell(struct init *in);
void service_tell_state(struct init *in);

/* ---- main.c -------------------------------------------------------------------------------------
 */

/* The container ends with `status`: everything is asked to stop. */
void init_finish(struct init *in, int status);

#endif

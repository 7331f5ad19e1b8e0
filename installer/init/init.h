/* SPDX-License-Identifier: MIT */
/*
 * slipway-init, PID 1 of a component container: block signals, wait, forward, reap. It starts
 * slipway-agent and, when the agent says so, services; the one marked main decides the container's
 * end. The agent may die and come back: services do not notice. No network, no heap once the loop
 * runs.
 */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/release.h"
#include "base/supervise.h"

enum {
    INIT_REST_GRACE_MS = 3000,   /* for everything that is not the main daemon */
    INIT_BACKOFF_FIRST_MS = 100, /* between two starts of the agent */
    INIT_BACKOFF_MAX_MS = 10000,
    INIT_EXEC_DEADLINE_MS = 5000, /* for the step from fork to exec */
    INIT_FILES_MAX = 1 << 20,     /* open files of a service, at most */
    /* Connections to a service that is started for each: that many at once, that many of them not
     * known to be logged in, and of these from one address. */
    INIT_CONNECTIONS_MAX = 64,
    INIT_LOGINS_MAX = 20,
    INIT_LOGINS_FROM_ONE_MAX = 10,
};

/* ---- spawn.c ---- */

struct spawn {
    const char *const *argv; /* NULL-terminated */
    const char *const *env;  /* NULL: this process's own, plus SLIPWAY_INIT_FD=keep_fd, and its
                              * standard input; else that is /dev/null */
    const char *cwd;         /* NULL or "": / with env, else unchanged */
    const int *outputs;      /* standard output and error, or NULL: this process's own */
    const int *connection;   /* standard input and output, or NULL */
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

/* ---- output.c ---- */

/*
 * Standard output and error of the main daemon pass through init, which remembers their end: what a
 * daemon said last is why it ended. One pair of pipes for the whole life of init, so nobody who
 * holds an end ever writes into nothing. A slow reader of the container's output slows the daemon,
 * as it would without us; init itself never waits.
 */
struct output {
    int in[2], out[2]; /* pipes: the daemon writes to in[0] and in[1], we read out[0], out[1] */
    struct output_held {
        char text[4096]; /* PIPE_BUF: so much is written whole, or not at all */
        size_t len;      /* read and not yet passed on */
    } held[2];
    char tail[SUPERVISE_TAIL_MAX]; /* ring of the last bytes */
    size_t tail_len;               /* all bytes since the daemon's start */
};

/* False when there are no pipes to be had; the daemon then writes by itself. */
bool output_open(struct output *o);
/* What to wait for; two rows. */
void output_poll(const struct output *o, struct pollfd fds[2]);
/* Passes on what is there, as far as the reader takes it. */
void output_pass(struct output *o);
/* The same for all that is left, waiting a moment for the reader; at the very end. */
void output_flush(struct output *o);
/* A new daemon starts: what the last one said is forgotten. */
void output_forget(struct output *o);
/* The last lines, as text without control characters, into out[SUPERVISE_TAIL_MAX]. */
void output_tail(const struct output *o, char *out);

/* ---- listen.c ---- */

/*
 * A service that init starts for each connection, so that it costs nothing while nobody connects.
 * Logins are bounded as sshd's MaxStartups does, and for each address, so that one that floods does
 * not lock out the others: what is over a bound is closed at once.
 */
struct listener {
    char name[SUPERVISE_NAME_MAX]; /* "": there is none */
    int fd;                        /* valid when there is one */
    int64_t since_ms;              /* wall */
    uint32_t uid, gid;
    char text[4096];        /* what the rows point to */
    const char *rows[64];   /* argv, NULL, environment, NULL */
    const char *const *env; /* in rows */
    struct connection {
        pid_t pid;        /* 0: free row */
        int64_t since;    /* monotonic */
        uint8_t from[16]; /* address */
    } connections[INIT_CONNECTIONS_MAX];
    int64_t said; /* when a connection was refused; monotonic, 0: never */
};

/* Carries out a LISTEN; false with a line on stderr when that cannot be. */
bool listen_start(struct listener *l, const struct supervise_msg *m);
void listen_stop(struct listener *l);
/* -1: there is none. */
int listen_fd(const struct listener *l);
/* Takes those who wait, a few at a time. */
void listen_accept(struct listener *l);
/* Takes note of the end of a child. */
void listen_ended(struct listener *l, pid_t pid);

/* ---- release.c ---- */

/*
 * Which agent is started: the image's, or a release that was deployed (base/release.h). A release
 * is on trial until it says that it works. One that ends again and again, or does not say it in
 * time, is put back here, whatever has become of whoever deployed it.
 */
struct release {
    const char *home;                /* the folder of the image's programs, */
    const char *image_agent;         /* and its agent */
    char current[RELEASE_NAME_SIZE]; /* what was started last; "": nothing yet */
    char avoid[RELEASE_NAME_SIZE];   /* put back, and not started although the link says so */
    int trial_ms;                    /* how long a trial takes; 0: as ever */
    int64_t trial_since;             /* monotonic, and */
    int64_t trial_until;             /* 0: it is not on trial */
    bool waits;                      /* its agent said that it could not report yet */
    int64_t young_until;             /* monotonic; crashes count until then */
    int crashes;
};

/* The agent to start now. */
void release_choose(struct release *r, char *path, size_t size);
bool release_is_image(const struct release *r);
/* Another one was made current, with so long a trial. */
void release_exchange(struct release *r, int trial_ms);
/* The agent says that it works. */
void release_well(struct release *r);
/* It cannot, for no fault of its own: its time begins again, RELEASE_WAITS_MAX times at most. */
void release_waits(struct release *r);
/* The agent ended by itself; true when it was put back for that. */
bool release_crashed(struct release *r, int status);
/* True when its time is over: it was put back, and its agent has to go. */
bool release_is_late(struct release *r);
void release_put_back(struct release *r, const char *why);

/* ---- service.c ---- */

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
    struct service services[SUPERVISE_SERVICES_MAX - 1]; /* a STATE has them and the listener */
    struct listener listener;
    int64_t deadline;               /* of PHASE_STOP_REST */
    int status;                     /* the exit status to be; -1: the agent's decides */
    pid_t agent;                    /* 0: not running */
    int socket;                     /* to the agent, or -1 */
    int signals;                    /* signalfd */
    int mounter;                    /* pidfd of the process that mounts, or -1 */
    int64_t agent_due, agent_since; /* monotonic */
    int64_t backoff_ms;
    uint32_t agent_starts;
    int agent_status;  /* of the last one that ended */
    int64_t decide_by; /* monotonic: the main daemon ended, and the agent may start it again until
                        * then; 0: nothing to decide */
    int end_status;    /* of that daemon */
    bool has_output;
    struct output output;
    char tail[SUPERVISE_TAIL_MAX];
    char **agent_argv;
    char agent_path[PATH_MAX]; /* of the one that is started */
    struct release release;
    bool exchange;            /* the agent was ended for another one */
    struct supervise_msg msg; /* received */
    struct supervise_msg reply;
};

struct service *service_find(struct init *in, const char *name); /* or NULL */
struct service *service_main(struct init *in);                   /* or NULL */
/* Carries out in->msg. */
void service_handle(struct init *in);
/* Sends the stop signal and notes when to kill; a second call changes nothing. */
void service_stop(struct service *s);
/* The container ends with `status`: everything is asked to stop. */
void service_finish(struct init *in, int status);
/* The main daemon ended or could not be started: the agent decides what comes of it, when there is
 * one. */
void service_main_ended(struct init *in, int status);
/* Takes note of the end of a child; false when it was not a service. */
bool service_ended(struct init *in, pid_t pid, int status);
/* Kills what is over its grace. */
void service_check_deadlines(struct init *in);
/* Sends in->reply unless the agent is not connected or does not read (it can ask again). */
void service_tell(struct init *in);
void service_tell_state(struct init *in);

#endif

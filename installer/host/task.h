/* SPDX-License-Identifier: MIT */
/* One job on its way through a channel of a session. */
#ifndef HOST_TASK_H
#define HOST_TASK_H

#include "host/outlet.h"
#include "host/session.h"

enum task_state {
    TASK_WAITING,  /* for the connection, or for its turn on it */
    TASK_OPENING,  /* its channel */
    TASK_STARTING, /* the command is handed over */
    TASK_RUNNING,
    TASK_LEAVING, /* the job has ended, its channel has not */
    TASK_GONE,
};

struct task {
    struct task *next;
    struct host_job *job; /* NULL when it has ended */
    enum task_state state;
    LIBSSH2_CHANNEL *channel;
    bool bulk;
    int64_t started_ms; /* of the job */
    int64_t since_ms;   /* of the state; for those in which the other side has to answer */
    size_t sent;        /* bytes of job->input */
    bool input_ended;   /* all of it was sent, or nobody reads it */
    bool eof_sent;
    char *piece; /* read from job->input_fd and not yet sent */
    size_t piece_len, piece_sent;
    struct outlet outlets[2]; /* to job->output_fds */
    int losses;               /* of the connection, before it began */
    int refusals;             /* of its channel while no other one was open */
};

/* Of a job that has not begun, which is borrowed. Owned. */
struct task *task_new(struct host_job *job);
/* The job's result, if it has not ended: `why`, or NULL when it ran to its end. */
void task_end(struct task *k, const struct err *why);
/* Ends the job before its time; its channel is left to close. */
void task_leave(struct task *k, struct session *s, const struct err *why);
void task_free(struct task *k);
/* Goes on as far as it can without waiting. -1: the whole connection is lost. */
int task_step(struct task *k, struct session *s, struct err *e);
/* Ends the job whose time has passed or that was cancelled. */
void task_check(struct task *k, struct session *s);
/* -1: the other side owes an answer for too long. */
int task_check_answer(const struct task *k, const struct session *s, struct err *e);
int64_t task_deadline(const struct task *k, const struct session *s);
/* A descriptor to wait for until it can be read, or -1. */
int task_poll_fd(const struct task *k, const struct session *s);
/* That of stream 1 or 2 when something waits to be written there, or -1. */
int task_poll_output(const struct task *k, int stream);

#endif

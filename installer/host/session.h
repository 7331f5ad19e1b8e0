/* SPDX-License-Identifier: MIT */
/* One connection to one target, from the first byte to its loss, and the jobs that wait for it. */
#ifndef HOST_SESSION_H
#define HOST_SESSION_H

#include "base/clock.h"
#include "host/host.h"
#include "host/transport.h"

enum session_state {
    SESSION_DOWN, /* no connection; the next one not before `retry_at` */
    SESSION_CONNECTING,
    SESSION_HANDSHAKE,
    SESSION_AUTH,
    SESSION_READY,
};

struct session {
    struct session *next;
    /* the target; owned */
    char *name, *address, *user, *pin, *key;
    int port;
    char *pin_blob, *pin_type; /* the pin taken apart */
    size_t pin_len;
    const struct hosts_opts *o; /* borrowed, without zeros */

    enum session_state state;
    struct transport t;
    int64_t began_ms; /* of this connection */
    int64_t retry_at;
    struct clock_backoff backoff;
    int64_t first_ms; /* when the first of the connections in a row began that were not ready */
    struct err last;  /* why the last connection ended; ERR_AUTH holds until retry_at */
    bool exchanging;  /* libssh2 is in the middle of the key exchange */
    bool pinging;     /* a channel that nobody can open was asked for: an answer is life */
    int64_t ping_ms;
    struct task *tasks;  /* task.h; in the order of their start */
    struct task *opener; /* whose channel is being opened: one at a time */
    int limit;           /* channels at once that the other side allows */
    size_t poll_at;      /* its socket in hosts.c's list */
};

/* NULL and *e when the target is not valid. */
struct session *session_new(const struct host_target *t, const struct hosts_opts *o, struct err *e);
void session_free(struct session *s);
bool session_is_of(const struct session *s, const struct host_target *t);
/* A login is under way: there is one at a time for each sshd. */
bool session_is_entering(const struct session *s);
/* Begins a connection. */
int session_connect(struct session *s, struct err *e);
/* Goes on as far as it can without waiting, up to ready. */
int session_enter(struct session *s, struct err *e);
/* Of one that is ready: sends a ping when it is time, and looks for the answer. */
int session_ping(struct session *s, bool heard, struct err *e);
/* Forgets the connection. `why` it ended decides when the next one may begin. */
void session_drop(struct session *s, const struct err *why);
/* When something has to be done about it although nothing comes; clock.h. */
int64_t session_deadline(const struct session *s);

#endif

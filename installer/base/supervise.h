/* SPDX-License-Identifier: MIT */
/*
 * What slipway-init (PID 1) and slipway-agent (its child) say to each other. One SOCK_SEQPACKET
 * socket, its number in SLIPWAY_INIT_FD of the agent; one message a packet, numbers little-endian,
 * texts NUL-terminated. A message over 64 KiB (a large configuration in an environment) goes in a
 * sealed memfd, whose packet names its length alone. Both sides check every packet: init takes
 * nothing on trust.
 *
 * agent -> init
 *   RUN      start `service`; answered by STARTED, or by EXITED with status 126/127 and pid 0
 *   LISTEN   listen on TCP port `port` and run `service` for each connection, which is its standard
 *            input and output; until then nothing of it runs. Answered by STARTED with pid 0, or by
 *            EXITED with status 126. One service at a time; STOP ends the listening
 *   STOP     its stop signal, after its grace SIGKILL; EXITED follows. The container goes on, also
 *            when it is the main daemon, and also when that has ended by itself just now: that is
 *            how the agent starts a daemon again
 *   SIGNAL   send `signal` to `service` (reload)
 *   QUERY    answered by STATE
 *   WELL     the agent has taken over and reports: its release has shown that it works
 *   WAITS    it cannot report, because etcd does not answer: a trial of its release goes on
 *   EXIT     the agent gives up with `status`; without a running main daemon, init exits with it
 *
 * init -> agent
 *   STATE    first message to each new agent, and the answer to QUERY: what runs, since when, with
 *            which tag
 *   STARTED  about one service
 *   EXITED   the same. When the main daemon ended by itself, the container ends with its status
 *            unless the agent says RUN or STOP within SUPERVISE_DECIDE_MS
 *   STOPPING the container ends: init stops the daemon now; the agent gets SIGTERM when the daemon
 *            is gone
 */
#ifndef BASE_SUPERVISE_H
#define BASE_SUPERVISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SUPERVISE_FD_ENV "SLIPWAY_INIT_FD"

enum {
    SUPERVISE_MSG_MAX = 65536,
    SUPERVISE_LARGE_MAX = 4 << 20, /* over what exec takes: that is for the kernel to say */
    SUPERVISE_NAME_MAX = 64,       /* with the NUL: service */
    SUPERVISE_TAG_MAX = 128,
    SUPERVISE_ARGS_MAX = 512,
    SUPERVISE_ENV_MAX = 1024,
    SUPERVISE_GROUPS_MAX = 32,
    SUPERVISE_SERVICES_MAX = 8,
    SUPERVISE_GRACE_MAX_MS = 3600 * 1000,
    SUPERVISE_TAIL_MAX = 1024, /* with the NUL */
    SUPERVISE_DECIDE_MS = 5000,
};

enum supervise_kind {
    SUPERVISE_RUN = 1,
    SUPERVISE_STOP,
    SUPERVISE_SIGNAL,
    SUPERVISE_QUERY,
    SUPERVISE_EXIT,
    SUPERVISE_STATE,
    SUPERVISE_STARTED,
    SUPERVISE_EXITED,
    SUPERVISE_STOPPING,
    SUPERVISE_LARGE, /* on the socket only: the message itself is in the memfd that comes along */
    SUPERVISE_LISTEN,
    SUPERVISE_WELL = 32,
    SUPERVISE_WAITS,
};

/* One running service in a STATE. */
struct supervise_service {
    const char *name, *tag;
    int32_t pid; /* 0: it waits for connections */
    bool main;
    int64_t since_ms; /* wall time of its start */
};

/*
 * A message. Which fields count depends on the kind; the others are zero. Texts are borrowed: from
 * the caller when sending, from the packet inside after receiving, until the next one is received.
 * It is large (about 80 KiB): one per connection, zero at first, and nothing frees it.
 */
struct supervise_msg {
    enum supervise_kind kind;
    const char *service; /* RUN LISTEN STOP SIGNAL STARTED EXITED */
    uint16_t port;       /* LISTEN */

    /* RUN LISTEN */
    const char *tag; /* opaque to init, "" when none: e.g. the hash of what it was started with */
    const char *cwd; /* "" is / */
    bool main;       /* its end ends the container; one at a time */
    uint32_t uid, gid;
    uint32_t groups[SUPERVISE_GROUPS_MAX];
    size_t group_count;
    int stop_signal;  /* 0: SIGTERM */
    int32_t grace_ms; /* 0..SUPERVISE_GRACE_MAX_MS */
    /* NULL-terminated; argv[0] is searched in the PATH of env. */
    const char *argv[SUPERVISE_ARGS_MAX + 1];
    size_t argc;
    const char *env[SUPERVISE_ENV_MAX + 1]; /* the whole environment, nothing is inherited */
    size_t env_count;

    int signal;       /* SIGNAL */
    int status;       /* EXIT: 0-255; EXITED: 0-255 or 128+signal */
    int32_t pid;      /* STARTED EXITED */
    const char *tail; /* EXITED: the end of what the main daemon printed, "" when nothing */

    /* STATE */
    struct supervise_service services[SUPERVISE_SERVICES_MAX];
    size_t service_count;
    uint32_t agent_starts; /* 1 for the first agent of this container */
    bool stopping;

    char raw[SUPERVISE_MSG_MAX];
    char *large; /* a mapped memfd that the texts point into, or NULL */
    size_t large_len;
};

/* Zeroes all but `raw` and `large`. */
void supervise_reset(struct supervise_msg *m, enum supervise_kind kind);
/* Adds to argv or env; false when there is no room. `text` is borrowed
 * until the message is sent. */
bool supervise_add_arg(struct supervise_msg *m, const char *text);
bool supervise_add_env(struct supervise_msg *m, const char *text);

/* Packs into out[cap]; *len is its size. ERR_CONFIG when something is over its limit or missing. */
int supervise_encode(void *out, size_t cap, size_t *len, const struct supervise_msg *m,
                     struct err *e);
/* Unpacks and checks; the texts point into m->raw. `data` may be m->raw itself. */
int supervise_decode(struct supervise_msg *m, const void *data, size_t len, struct err *e);

/* Blocks while the other side is slow. Packs in m->raw: the texts must not point there. ERR_CONFIG
 * when the arguments and the environment are larger than the kernel's exec could take. */
int supervise_send(int fd, struct supervise_msg *m, struct err *e);
/* Waits at most timeout_ms (-1: for ever). 0 with *got false: nothing came in time. ERR_NET:
 * closed. */
int supervise_recv(struct supervise_msg *m, bool *got, int fd, int timeout_ms, struct err *e);

#endif

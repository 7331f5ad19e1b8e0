/* SPDX-License-Identifier: MIT */
/*
 * The Docker Engine API, 1.41 to current, over libcurl and a unix socket. One `struct engine` is
 * one connection: use one per thread (engine_clone). Every call has a deadline; every answer
 * becomes 0 or a struct err in the operator's words. https://docs.docker.com/reference/api/engine/
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/until.h"
#include "conf/node.h"

struct engine;

/* The engine of this machine. */
#define ENGINE_LOCAL "unix:///var/run/docker.sock"

/* `url` NULL or "": ENGINE_LOCAL. Only unix:// here. Connects, negotiates
 * the version. Docker not running, no permission, too old (< 1.41): each its own sentence with what
 * to do. `until` bounds this call and the later ones. */
int engine_open(struct engine **out, const char *url, struct until until, struct err *e);
/* From now on every call ends when `until` passes or is aborted,
 * whatever time it has of its own. */
void engine_set_until(struct engine *g, struct until until);
struct until engine_until(const struct engine *g);
/* One more connection to the same, for another thread; read-only and bounded as `from` is. */
int engine_clone(struct engine **out, const struct engine *from, struct err *e);
/* From now on every call but GET is refused here: for a plan, which must not change anything. */
void engine_set_read_only(struct engine *g);
void engine_close(struct engine *g);
const char *engine_version(const struct engine *g); /* "1.41" in use, borrowed */
/* When Docker made its last answer, wall time by its own clock in ms, cut to seconds; 0: it did
 * not say. */
int64_t engine_answered_ms(const struct engine *g);
/* Name, server version, disk and security facts of GET /info. */
int engine_info(struct node **out, struct engine *g, struct err *e);

/* ---- containers ---- */

/* Label filter "k=v" or "k", or NULL; all states. *out: list of the API's objects (Id Names Image
 * State Status Labels Mounts Ports ...) without Command, HostConfig and NetworkSettings; of the
 * last there is `Networks`, map name -> NetworkID and IPAddress ("" while it is stopped). */
int engine_container_list(struct node **out, struct engine *g, const char *label, struct err *e);
int engine_container_inspect(struct node **out, struct engine *g, const char *id, struct err *e);
/* `body` as of POST /containers/create. *id owned. Name in use: ERR_CONFLICT. Image missing:
 * ERR_NOTFOUND. */
int engine_container_create(char **id, struct engine *g, const char *name, const struct node *body,
                            struct err *e);
int engine_container_start(struct engine *g, const char *id,
                           struct err *e); /* started already: fine */
/* Stopped already: fine. */
int engine_container_stop(struct engine *g, const char *id, int grace_s, struct err *e);
int engine_container_restart(struct engine *g, const char *id, int grace_s, struct err *e);
int engine_container_remove(struct engine *g, const char *id, bool force,
                            struct err *e); /* missing: fine */
int engine_container_rename(struct engine *g, const char *id, const char *name, struct err *e);

/* Files put into a container, created or running, as a tar made in memory. Missing folders are
 * made, 0755 root. Refused by Docker when the container's root file system is read-only. */
struct engine_file {
    const char *path; /* absolute */
    const void *data;
    size_t len;
    unsigned mode, uid, gid;
    bool folder;      /* a folder instead */
    const char *link; /* or a symbolic link to this */
};
int engine_container_put(struct engine *g, const char *id, const struct engine_file *files,
                         size_t count, struct err *e);

/* What is at `path` in a container, running or not, as a tar that chunk() gets piece by piece: its
 * name alone is the first entry's, or the folder's in front of all. The container decides what is
 * in it: untar.h takes it apart. ERR_NOTFOUND. */
struct engine_get {
    const char *path; /* absolute */
    int (*chunk)(void *arg, const char *p, size_t len, struct err *e);
    void *arg;
    int64_t deadline; /* clock.h */
};
int engine_container_get(struct engine *g, const char *id, const struct engine_get *get,
                         struct err *e);

/* Writes to the standard input of a running container made with OpenStdin; back when Docker has
 * taken all of it over. ERR_CONFLICT when it restarts just now or is paused; to a container without
 * OpenStdin it goes nowhere, as Docker has it. Leaves the input open for another call. */
int engine_container_send(struct engine *g, const char *id, const void *data, size_t len,
                          struct err *e);

/* Logs: calls line() for each complete line, in order. Frames are reassembled; a line longer than 1
 * MiB is cut. With follow, until the container stops, stop() is true (asked each 200 ms) or an
 * error. */
struct engine_log_opts {
    bool follow, timestamps;
    int tail;                  /* -1: all */
    const char *since, *until; /* RFC 3339 or unix time text, or NULL */
    void (*line)(void *arg, int stream /* 1 out, 2 err */, const char *text, size_t len);
    bool (*stop)(void *arg);
    void *arg;
};
int engine_container_logs(struct engine *g, const char *id, const struct engine_log_opts *o,
                          struct err *e);

/* Runs argv in a container; output captured with a limit of the buffers; *status from GET /exec. */
struct engine_exec {
    const char *const *argv;
    const char *const *env; /* extra, or NULL */
    const char *user;       /* or NULL */
    const void *input;      /* engine_exec_run only: what it reads; NULL: it gets no input */
    size_t input_len;       /* 0 with an input: an empty one */
    struct buf *out, *err;  /* NULL: dropped */
    int64_t deadline;       /* clock.h; the process in the container outlives it */
    bool tty;               /* interactive only */
    /* engine_exec_run without an input: its standard input ends with the call, however that ends,
     * so it knows that nobody waits for it any more. */
    bool held;
    /* Hears each piece of the output too; NULL: nobody does. */
    void (*heard)(void *arg, const char *text, size_t len);
    void *arg;
};
int engine_exec_run(int *status, struct engine *g, const char *id, const struct engine_exec *x,
                    struct err *e);
/* The descriptors that a command is connected with, the caller's. `in` -1: it gets no input. */
struct engine_stdio {
    int in, out, err;
};
/* Connects `io` (out, err and deadline of `x` are not used); with tty `in` is a terminal: raw mode,
 * resizes, and the old mode back in every case. */
int engine_exec_interactive(int *status, struct engine *g, const char *id,
                            const struct engine_exec *x, struct engine_stdio io, struct err *e);

/* ---- images ---- */

/* ERR_NOTFOUND when missing. *out: the API's object. */
int engine_image_inspect(struct node **out, struct engine *g, const char *ref, struct err *e);
/* 1 there, 0 not there, -1 with *e. */
int engine_image_has(struct engine *g, const char *ref, struct err *e);
/* Label "k=v", "k" or NULL. */
int engine_image_list(struct node **out, struct engine *g, const char *label, struct err *e);
int engine_image_tag(struct engine *g, const char *ref, const char *repo, const char *tag,
                     struct err *e);
int engine_image_remove(struct engine *g, const char *ref, struct err *e); /* missing: fine */
/* Where long image work tells its steps: line(arg, text), text borrowed.
 * NULL line: nobody listens. */
struct engine_progress {
    void (*line)(void *arg, const char *text);
    void *arg;
    int64_t deadline;       /* clock.h */
    int64_t first_deadline; /* for the first sign of life; 0: the same */
};
/* Failure inside the stream is a failure. */
int engine_image_pull(struct engine *g, const char *ref, const struct engine_progress *p,
                      struct err *e);
/* Builds from a tar file (POST /build, classic builder). `args` map of build arguments, labels a
 * map. */
struct engine_build {
    const char *tag;
    int context_fd; /* tar, read from its beginning */
    const struct node *args, *labels;
    struct engine_progress progress;
};
/* A failed build's error carries the last 20 lines of its output. */
int engine_image_build(struct engine *g, const struct engine_build *b, struct err *e);
/* Imports a root file system tar (POST /images/create?fromSrc=-) as ref. */
int engine_image_import(struct engine *g, const char *ref, int tar_fd, struct until until,
                        struct err *e);

/* ---- networks and volumes ---- */

int engine_network_list(struct node **out, struct engine *g, const char *label /* or NULL */,
                        struct err *e);
/* A network of that name with the labels of `body` is fine; with others: ERR_CONFLICT. */
int engine_network_create(char **id, struct engine *g, const struct node *body, struct err *e);
int engine_network_remove(struct engine *g, const char *name, struct err *e); /* missing: fine */
/* Volumes of the driver `local`: those with the label "k=v" or "k", or all (NULL). No volume plugin
 * is asked, which may be dead. */
int engine_volume_list(struct node **out, struct engine *g, const char *label, struct err *e);
/* Likewise. */
int engine_volume_create(struct engine *g, const struct node *body, struct err *e);
int engine_volume_remove(struct engine *g, const char *name, struct err *e); /* missing: fine */

/* ---- events ---- */

/* Container events (create start die stop kill oom destroy rename restart pause unpause
 * health_status; not exec_*) as they come, until stop() is true (asked each 200 ms) or the
 * connection ends: ERR_NET. The engine drops events for slow readers: list again now and then. */
struct engine_event_opts {
    const char *label; /* or NULL */
    void (*event)(void *arg, const struct node *event);
    bool (*stop)(void *arg);
    void *arg;
};
int engine_events(struct engine *g, const struct engine_event_opts *o, struct err *e);

#endif

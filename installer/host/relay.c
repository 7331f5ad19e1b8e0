/* SPDX-License-Identifier: MIT */
#include "host/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "host/relay_wire.h"

enum { BACKLOG = 128, FAILED = 255 }; /* as ssh says it */

struct allowed {
    struct allowed *next;
    const char *name;
    const struct host_target *target;
    struct until until;
    struct relay_bytes bytes;
};

/* One program that waits. */
struct line {
    struct line *next;
    struct relay *r;
    struct allowed *where;
    struct host_watch watch; /* its socket: it says no more, so what can be read is its end */
    struct host_job job;
    char *command;
    int fds[RELAY_FDS];
};

struct relay {
    struct hosts *h;
    char *dir, *path;
    struct host_watch watch; /* the socket that listens; fd -1: none */
    struct allowed *allowed;
    struct line *lines;
};

const char *relay_path(const struct relay *r)
{
    return r->path;
}

/* ---- a program ---- */

static void close_all(int *fds)
{
    for (size_t i = 0; i < RELAY_FDS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static void line_free(struct line *l)
{
    struct line **at = &l->r->lines;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    hosts_unwatch(l->r->h, &l->watch);
    close(l->watch.fd);
    close_all(l->fds);
    free(l->command);
    free(l);
}

/* In a moment, or not at all: nobody waits for its reader. */
static void tell(int fd, const char *text)
{
    auto_free char *line = mem_printf("slipway: %s\n", text);
    size_t written;

    if (fs_write_in_time(&written, fd, line, strlen(line), 0) < 0)
        return; /* nobody listens */
}

static void answer(int control, int status)
{
    unsigned char byte = (unsigned char)(status < 0 || status > FAILED ? FAILED : status);

    if (send(control, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return; /* it is gone */
}

static void finish(struct line *l)
{
    bool ran = l->job.error.code == ERR_NONE;

    if (!ran)
        tell(l->fds[2], l->job.error.msg);
    l->where->bytes.sent += l->job.sent;
    l->where->bytes.received += l->job.received;
    answer(l->watch.fd, ran ? l->job.status : FAILED);
    line_free(l);
}

/* It ended before its command: killed, or interrupted. Without this the command would go on. */
static void on_hang_up(void *arg)
{
    struct line *l = arg;

    hosts_unwatch(l->r->h, &l->watch);
    if (!l->job.ended)
        hosts_cancel(l->r->h, &l->job);
}

static struct allowed *find(const struct relay *r, const char *name)
{
    for (struct allowed *a = r->allowed; a; a = a->next)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

static void start(struct relay *r, int control, struct relay_request *q)
{
    struct allowed *where = find(r, q->name);
    struct line *l;

    if (!where) {
        tell(q->fds[2], "that is not a target of this run");
        answer(control, FAILED);
        close(control);
        close_all(q->fds);
        return;
    }
    /* Both are the other program's pipes; its standard error may be everybody's. */
    fcntl(q->fds[0], F_SETFL, O_NONBLOCK);
    fcntl(q->fds[1], F_SETFL, O_NONBLOCK);
    l = mem_alloc(sizeof(*l));
    *l = (struct line){.next = r->lines,
                       .r = r,
                       .where = where,
                       .command = mem_strdup(q->command),
                       .watch = {.fd = control, .ready = on_hang_up, .arg = l}};
    memcpy(l->fds, q->fds, sizeof(l->fds));
    r->lines = l;
    l->job = (struct host_job){.command = l->command,
                               .input_fd = &l->fds[0],
                               .output_fds = &l->fds[1],
                               .until = where->until,
                               .bulk = true};
    hosts_watch(r->h, &l->watch);
    hosts_start(r->h, where->target, &l->job);
}

static bool is_ours(int fd)
{
    struct ucred who;
    socklen_t len = sizeof(who);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && who.uid == geteuid();
}

static void on_call(void *arg)
{
    struct relay *r = arg;
    int control = accept4(r->watch.fd, NULL, NULL, SOCK_CLOEXEC);
    struct relay_request *q;
    struct err e;

    if (control < 0)
        return;
    q = mem_alloc(sizeof(*q));
    if (!is_ours(control)) {
        close(control);
    } else if (relay_request_receive(q, control, &e) < 0) {
        err_drop(&e, "what rsync's helper says");
        answer(control, FAILED);
        close(control);
    } else {
        start(r, control, q);
    }
    free(q);
}

/* ---- the relay ---- */

static int listen_at(struct relay *r, struct err *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    if (strlen(r->path) >= sizeof(a.sun_path))
        return err_set(e, ERR_CONFIG,
                       "the path %s is too long for a socket; set TMPDIR to a "
                       "shorter one",
                       r->path);
    memcpy(a.sun_path, r->path, strlen(r->path));
    r->watch.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (r->watch.fd < 0 || bind(r->watch.fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
        listen(r->watch.fd, BACKLOG) < 0)
        return err_sys(e, "the socket %s", r->path);
    return 0;
}

int relay_open(struct relay **out, struct hosts *h, const char *tmp, struct err *e)
{
    struct relay *r = mem_alloc(sizeof(*r));
    auto_free char *dir = mem_printf("%s/slipway-relay.XXXXXX", tmp);

    *r = (struct relay){.h = h, .watch = {.fd = -1, .ready = on_call, .arg = r}};
    *out = NULL;
    if (!mkdtemp(dir)) { /* 0700 */
        free(r);
        return err_sys(e, "making %s", dir);
    }
    r->dir = steal(dir);
    r->path = fs_join(r->dir, "s");
    if (listen_at(r, e) < 0) {
        relay_close(r);
        return -1;
    }
    hosts_watch(h, &r->watch);
    *out = r;
    return 0;
}

void relay_close(struct relay *r)
{
    struct err e;

    if (!r)
        return;
    hosts_unwatch(r->h, &r->watch);
    while (r->lines) {
        struct line *l = r->lines;

        if (!l->job.ended)
            hosts_cancel(r->h, &l->job);
        finish(l);
    }
    while (r->allowed) {
        struct allowed *a = r->allowed;

        r->allowed = a->next;
        free(a);
    }
    if (r->watch.fd >= 0)
        close(r->watch.fd);
    if (fs_remove_tree(r->dir, &e) < 0)
        err_drop(&e, "removing the relay's folder");
    free(r->dir);
    free(r->path);
    free(r);
}

void relay_allow(struct relay *r, const char *name, const struct host_target *t, struct until until)
{
    struct allowed *a = mem_alloc(sizeof(*a));

    *a = (struct allowed){.next = r->allowed, .name = name, .target = t, .until = until};
    r->allowed = a;
}

size_t relay_turn(struct relay *r, struct until until)
{
    size_t left = hosts_turn(r->h, until);
    struct line *next;

    for (struct line *l = r->lines; l; l = next) {
        next = l->next;
        if (l->job.ended)
            finish(l);
    }
    return left;
}

struct relay_bytes relay_bytes(const struct relay *r, const char *name)
{
    const struct allowed *a = find(r, name);

    return a ? a->bytes : (struct relay_bytes){0};
}

void relay_watch(struct relay *r, struct host_watch *w)
{
    hosts_watch(r->h, w);
}

void relay_unwatch(struct relay *r, struct host_watch *w)
{
    hosts_unwatch(r->h, w);
}

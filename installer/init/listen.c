/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
    BACKLOG = 32,
    ACCEPT_MAX = 4,           /* in one round: signals and deadlines must not starve */
    LOGIN_MS = 30 * 1000,     /* longer than sshd's LoginGraceTime */
    SAY_AGAIN_MS = 60 * 1000, /* between two lines about refused connections */
    PROC_TEXT_MAX = 256,
};

int listen_fd(const struct listener *l)
{
    return l->name[0] ? l->fd : -1;
}

/* ---- what to run ---- */

static bool copy_rows(struct listener *l, size_t *row, size_t *at, const char *const *from)
{
    for (; *from; from++) {
        size_t size = strlen(*from) + 1;

        if (size > sizeof(l->text) - *at || *row + 2 > ARRAY_LEN(l->rows))
            return false;
        l->rows[(*row)++] = memcpy(l->text + *at, *from, size);
        *at += size;
    }
    if (*row >= ARRAY_LEN(l->rows))
        return false;
    l->rows[(*row)++] = NULL;
    return true;
}

static bool copy_command(struct listener *l, const struct supervise_msg *m)
{
    size_t row = 0, at = 0;

    if (!copy_rows(l, &row, &at, m->argv))
        return false;
    l->env = l->rows + row;
    return copy_rows(l, &row, &at, m->env);
}

/* ---- the socket ---- */

/* All addresses of both families; of IPv4 alone where the kernel has no IPv6. */
static int open_socket(uint16_t port)
{
    const struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int off = 0, on = 1;
    int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    int fd = socket(AF_INET6, type, 0);
    bool has_six = fd >= 0;
    int r;

    if (!has_six)
        fd = socket(AF_INET, type, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (has_six)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    r = has_six ? bind(fd, (const struct sockaddr *)&six, sizeof(six))
                : bind(fd, (const struct sockaddr *)&four, sizeof(four));
    if (r < 0 || listen(fd, BACKLOG) < 0) {
        int why = errno;

        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

bool listen_start(struct listener *l, const struct supervise_msg *m)
{
    if (!copy_command(l, m)) {
        spawn_say("%s is not started: its command is too long", m->service);
        return false;
    }
    l->fd = open_socket(m->port);
    if (l->fd < 0) {
        spawn_say("%s: cannot listen on port %u: %s", m->service, (unsigned)m->port,
                  strerror(errno));
        return false;
    }
    l->uid = m->uid;
    l->gid = m->gid;
    l->since_ms = clock_wall_ms();
    snprintf(l->name, sizeof(l->name), "%s", m->service);
    return true;
}

void listen_stop(struct listener *l)
{
    if (listen_fd(l) >= 0)
        close(l->fd);
    l->name[0] = '\0';
}

/* ---- connections ---- */

static void address_of(uint8_t out[16], const struct sockaddr_storage *from)
{
    const void *p = from;

    memset(out, 0, 16);
    if (from->ss_family == AF_INET6)
        memcpy(out, &((const struct sockaddr_in6 *)p)->sin6_addr, 16);
    else
        memcpy(out, &((const struct sockaddr_in *)p)->sin_addr, 4);
}

/* The beginning of a process's file, terminated; "" when there is none. */
static void read_proc(char out[PROC_TEXT_MAX], pid_t pid, const char *name)
{
    char path[64];
    ssize_t n = -1;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, out, PROC_TEXT_MAX - 1);
        close(fd);
    }
    out[n > 0 ? n : 0] = '\0';
}

/* sshd names a session in the title of the process that holds it, which is a child of the one that
 * was started: "sshd-session: root@notty". Nothing before has an "@". */
static bool has_session(pid_t pid)
{
    char text[PROC_TEXT_MAX], children[32];
    long child;

    read_proc(text, pid, "cmdline");
    if (strchr(text, '@'))
        return true;
    snprintf(children, sizeof(children), "task/%d/children", (int)pid);
    read_proc(text, pid, children);
    child = strtol(text, NULL, 10);
    if (child <= 0)
        return false;
    read_proc(text, (pid_t)child, "cmdline");
    return strchr(text, '@') != NULL;
}

/* Those that may not have logged in: LoginGraceTime ends whoever does not. */
static bool is_login(const struct connection *c)
{
    return c->pid && clock_now_ms() - c->since < LOGIN_MS && !has_session(c->pid);
}

/* A row for one more from that address, or NULL: there are too many. */
static struct connection *room(struct listener *l, const uint8_t from[16])
{
    struct connection *row = NULL;
    int used = 0, all = 0, same = 0;

    for (size_t i = 0; i < ARRAY_LEN(l->connections); i++) {
        struct connection *c = &l->connections[i];

        if (!c->pid)
            row = c;
        else
            used++;
    }
    /* Looking at each of them costs a read: only when the bound could be reached. */
    for (size_t i = 0; used >= INIT_LOGINS_FROM_ONE_MAX && i < ARRAY_LEN(l->connections); i++) {
        const struct connection *c = &l->connections[i];

        if (is_login(c)) {
            all++;
            same += memcmp(c->from, from, 16) == 0;
        }
    }
    return all >= INIT_LOGINS_MAX || same >= INIT_LOGINS_FROM_ONE_MAX ? NULL : row;
}

static void serve(struct listener *l, int fd, const struct sockaddr_storage *from)
{
    const struct spawn s = {.argv = l->rows,
                            .env = l->env,
                            .connection = &fd,
                            .keep_fd = -1,
                            .set_user = true,
                            .uid = l->uid,
                            .gid = l->gid};
    uint8_t address[16];
    struct connection *c;

    address_of(address, from);
    c = room(l, address);
    if (!c) {
        if (!l->said || clock_now_ms() - l->said >= SAY_AGAIN_MS) {
            l->said = clock_now_ms();
            spawn_say("%s: too many connections at once, some are refused", l->name);
        }
        return;
    }
    if (spawn_run(&c->pid, &s) != 0)
        return;
    c->since = clock_now_ms();
    memcpy(c->from, address, sizeof(c->from));
}

void listen_accept(struct listener *l)
{
    for (int i = 0; i < ACCEPT_MAX && listen_fd(l) >= 0; i++) {
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof(from);
        int fd = accept4(l->fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);

        if (fd < 0)
            return;
        serve(l, fd, &from);
        close(fd);
    }
}

void listen_ended(struct listener *l, pid_t pid)
{
    for (size_t i = 0; i < ARRAY_LEN(l->connections); i++)
        if (l->connections[i].pid == pid)
            l->connections[i].pid = 0;
}

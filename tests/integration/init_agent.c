/* SPDX-License-Identifier: MIT */
/* Stands for slipway-agent in init.sh: speaks the real protocol, does what
 * its first argument says. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/supervise.h"

static int number(const char *name, int fallback)
{
    const char *v = getenv(name);

    return v ? (int)strtol(v, NULL, 10) : fallback;
}

static void run(int fd, struct supervise_msg *m, const char *service, const char *const *argv,
                const char *tag)
{
    struct err e;

    supervise_reset(m, SUPERVISE_RUN);
    m->service = service;
    m->tag = tag;
    m->cwd = "/";
    m->main = strcmp(service, "main") == 0;
    m->uid = (uint32_t)number("FAKE_UID", (int)getuid());
    m->gid = (uint32_t)number("FAKE_UID", (int)getgid());
    m->stop_signal = number("FAKE_SIGNAL", SIGTERM);
    m->grace_ms = number("FAKE_GRACE", 5000);
    for (size_t i = 0; argv[i]; i++)
        supervise_add_arg(m, argv[i]);
    supervise_add_env(m, "PATH=/usr/local/bin:/usr/bin:/bin");
    supervise_add_env(m, "MARK=given");
    if (supervise_send(fd, m, &e) < 0)
        fprintf(stderr, "fake: %s\n", e.msg);
}

/* A service that waits for connections. */
static void listen_at(int fd, struct supervise_msg *m, int port)
{
    struct err e;

    supervise_reset(m, SUPERVISE_LISTEN);
    m->service = "door";
    m->port = (uint16_t)port;
    m->uid = getuid();
    m->gid = getgid();
    supervise_add_arg(m, "bash");
    supervise_add_arg(m, "-c");
    supervise_add_arg(m, getenv("FAKE_DOOR"));
    supervise_add_env(m, "PATH=/usr/local/bin:/usr/bin:/bin");
    if (supervise_send(fd, m, &e) < 0)
        fprintf(stderr, "fake: %s\n", e.msg);
}

static void send_kind(int fd, struct supervise_msg *m, enum supervise_kind kind, int status)
{
    struct err e;

    supervise_reset(m, kind);
    m->service = "main";
    m->status = status;
    if (supervise_send(fd, m, &e) < 0)
        fprintf(stderr, "fake: %s\n", e.msg);
}

/* The main daemon ended by itself. */
static void decide(int fd, struct supervise_msg *m, const char *mode, char **argv, int *rounds)
{
    bool answer = m->pid == 0 && m->status == 0; /* to our STOP */

    if (answer || strcmp(mode, "mute") == 0)
        return;
    if (strcmp(mode, "dying") == 0)
        abort();
    if (strcmp(mode, "again") != 0 || (*rounds)++ > 0) {
        send_kind(fd, m, SUPERVISE_EXIT, m->status);
        return;
    }
    send_kind(fd, m, SUPERVISE_STOP, 0);
    usleep((useconds_t)number("FAKE_PAUSE", 0) * 1000);
    run(fd, m, "main", (const char *const *)argv + 2, "again");
}

static void note(const struct supervise_msg *m)
{
    fprintf(stderr, "fake: kind=%d service=%s status=%d starts=%u services=%zu first=%s tag=%s\n",
            (int)m->kind, m->service ? m->service : "-", m->status, m->agent_starts,
            m->service_count, m->service_count ? m->services[0].name : "-",
            m->service_count ? m->services[0].tag : "-");
    if (m->tail && *m->tail)
        fprintf(stderr, "fake: it said <%s>\n", m->tail);
}

int main(int argc, char **argv)
{
    static struct supervise_msg m; /* large */
    const char *mode = argc > 1 ? argv[1] : "";
    int fd = number(SUPERVISE_FD_ENV, -1), rounds = 0;
    struct err e;
    bool got, fresh;

    for (;;) {
        if (supervise_recv(&m, &got, fd, 10000, &e) < 0) {
            fprintf(stderr, "fake: %s\n", e.msg);
            return 99;
        }
        if (!got)
            continue;
        note(&m);
        if (m.kind == SUPERVISE_STATE) {
            if (strcmp(mode, "die") == 0 && m.agent_starts < (unsigned)number("FAKE_DEATHS", 1000))
                return (int)strtol(argv[2], NULL, 10);
            if (strcmp(mode, "exit") == 0) {
                supervise_reset(&m, SUPERVISE_EXIT);
                m.status = (int)strtol(argv[2], NULL, 10);
                supervise_send(fd, &m, &e);
                return 0;
            }
            if (strcmp(mode, "two") == 0)
                run(fd, &m, "side", (const char *const[]){"sleep", "1000", NULL}, "");
            fresh = m.service_count == 0;
            if (fresh && number("FAKE_PORT", 0))
                listen_at(fd, &m, number("FAKE_PORT", 0));
            if (strcmp(mode, "alone") != 0 && fresh)
                run(fd, &m, "main", (const char *const *)argv + (strcmp(mode, "die") == 0 ? 3 : 2),
                    "one");
        }
        if (m.kind == SUPERVISE_STARTED && strcmp(mode, "restart") == 0 && rounds == 0) {
            usleep(100000);
            supervise_reset(&m, SUPERVISE_STOP);
            m.service = "main";
            supervise_send(fd, &m, &e);
            rounds++;
        } else if (m.kind == SUPERVISE_EXITED && strcmp(mode, "restart") == 0 && rounds == 1) {
            run(fd, &m, "main", (const char *const *)argv + 2, "two");
            rounds++;
        } else if (m.kind == SUPERVISE_EXITED && strcmp(m.service, "main") == 0) {
            decide(fd, &m, mode, argv, &rounds);
        }
    }
}

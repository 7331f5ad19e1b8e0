/* SPDX-License-Identifier: MIT */
#include "agent/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "agent/sshd.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { ANSWER_MS = 10000, STOP_EXTRA_MS = 5000 };

static void take_state(struct daemon *d)
{
    const struct supervise_msg *m = d->msg;

    d->agent_starts = m->agent_starts;
    d->stopping |= m->stopping;
    d->pid = 0;
    d->sshd = false;
    for (size_t i = 0; i < m->service_count; i++) {
        const struct supervise_service *s = &m->services[i];

        if (s->main) {
            d->pid = s->pid;
            d->since_ms = s->since_ms;
        } else if (strcmp(s->name, SSHD_SERVICE) == 0) {
            d->sshd = true;
        }
    }
}

static void take_end(struct daemon *d)
{
    if (strcmp(d->msg->service, SSHD_SERVICE) == 0) {
        d->sshd = false;
        log_warn("sshd ended with status %d", d->msg->status);
        return;
    }
    d->pid = 0;
    d->ended = true;
    if (d->msg->pid == 0 && d->msg->status == 0)
        return; /* it was not there to be stopped: how it ended is known */
    d->status = d->msg->status;
    d->oom = cgroup_oom_kills(CGROUP_ROOT) > d->oom_kills;
    snprintf(d->tail, sizeof(d->tail), "%s", d->msg->tail);
    log_redact_text(d->tail);
}

static void take_message(struct daemon *d)
{
    bool main = d->msg->service && strcmp(d->msg->service, DAEMON_SERVICE) == 0;

    switch (d->msg->kind) {
    case SUPERVISE_STATE:
        take_state(d);
        break;
    case SUPERVISE_STARTED:
        if (main) {
            d->started = true;
            d->pid = d->msg->pid;
            d->since_ms = clock_wall_ms();
        } else {
            d->sshd = true;
        }
        break;
    case SUPERVISE_EXITED:
        take_end(d);
        break;
    case SUPERVISE_STOPPING:
        d->stopping = true;
        break;
    default:
        log_debug("init sent a message of kind %d", (int)d->msg->kind);
    }
}

void daemon_pump(struct daemon *d, int timeout_ms)
{
    bool got = true;
    struct err e;

    while (got && !d->lost) {
        if (supervise_recv(d->msg, &got, d->fd, timeout_ms, &e) < 0) {
            d->lost = e.code == ERR_NET;
            log_warn("%s", e.msg);
            return;
        }
        if (got)
            take_message(d);
        timeout_ms = 0;
    }
}

int daemon_open(struct daemon *d, struct err *e)
{
    *d = (struct daemon){.fd = -1};
    const char *text = getenv(SUPERVISE_FD_ENV);
    char *end;
    long fd = text ? strtol(text, &end, 10) : -1;
    if (fd < 3 || fd > INT_MAX || *end || fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
        return err_set(e, ERR_USAGE,
                       "slipway-agent is started by slipway-init; by hand: slipway-init "
                       "[--component DIR] [--run DIR] LINK");
    unsetenv(SUPERVISE_FD_ENV);
    d->fd = (int)fd;
    d->msg = mem_alloc(sizeof(*d->msg));
    int64_t deadline = clock_deadline(ANSWER_MS);
    while (!d->agent_starts && !d->lost && !clock_passed(deadline))
        daemon_pump(d, (int)clock_left_ms(deadline));
    if (d->agent_starts)
        return 0;
    daemon_close(d);
    return err_set(e, ERR_SYS, "slipway-init says nothing");
}

void daemon_close(struct daemon *d)
{
    if (d->fd >= 0)
        close(d->fd);
    free(d->msg);
    *d = (struct daemon){.fd = -1, .lost = true};
}

static int fill(struct supervise_msg *m, const struct strv *argv, const struct strv *env,
                struct err *e)
{
    for (size_t i = 0; i < argv->count; i++)
        if (!supervise_add_arg(m, argv->items[i]))
            return err_set(e, ERR_CONFIG, "more than %d arguments", SUPERVISE_ARGS_MAX);
    for (size_t i = 0; i < env->count; i++)
        if (!supervise_add_env(m, env->items[i]))
            return err_set(e, ERR_CONFIG, "more than %d variables", SUPERVISE_ENV_MAX);
    return 0;
}

int daemon_run(struct daemon *d, const struct daemon_run *r, struct err *e)
{
    struct user user;

    if (user_find(&user, r->manifest->run.user, e) < 0)
        return -1;
    struct supervise_msg *m = d->msg;
    supervise_reset(m, SUPERVISE_RUN);
    m->service = DAEMON_SERVICE;
    m->tag = r->tag;
    m->main = true;
    m->uid = user.uid;
    m->gid = user.gid;
    m->group_count = user.group_count;
    memcpy(m->groups, user.groups, sizeof(user.groups[0]) * user.group_count);
    m->stop_signal = r->manifest->stop_signal;
    int64_t grace = r->manifest->stop_grace_ms;
    m->grace_ms = (int32_t)(grace < SUPERVISE_GRACE_MAX_MS ? grace : SUPERVISE_GRACE_MAX_MS);
    d->started = d->ended = false;
    d->oom_kills = cgroup_oom_kills(CGROUP_ROOT);
    if (fill(m, &r->config->argv, &r->config->env, e) < 0 || supervise_send(d->fd, m, e) < 0)
        return err_wrap(e, "starting %s", r->config->argv.items[0]);
    int64_t deadline = clock_deadline(ANSWER_MS);
    while (!d->started && !d->ended && !d->lost && !clock_passed(deadline))
        daemon_pump(d, (int)clock_left_ms(deadline));
    if (d->started)
        return 0;
    return err_set(e, ERR_REMOTE, "%s could not be started: %s", r->config->argv.items[0],
                   d->status == 127 ? "there is no such program"
                   : d->ended       ? "it cannot be executed"
                                    : "slipway-init does not answer");
}

int daemon_run_sshd(struct daemon *d, const struct config *c, struct err *e)
{
    auto_strv struct strv argv = {0}, env = {0};

    if (sshd_prepare(e) < 0)
        return -1;
    sshd_argv(&argv, c->run);
    strv_add(&env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    supervise_reset(d->msg, SUPERVISE_LISTEN);
    d->msg->service = SSHD_SERVICE;
    d->msg->port = SSHD_PORT;
    d->msg->uid = geteuid();
    d->msg->gid = getegid();
    if (fill(d->msg, &argv, &env, e) < 0 || supervise_send(d->fd, d->msg, e) < 0)
        return err_wrap(e, "starting sshd");
    return 0;
}

int daemon_stop(struct daemon *d, int64_t grace_ms, struct err *e)
{
    supervise_reset(d->msg, SUPERVISE_STOP);
    d->msg->service = DAEMON_SERVICE;
    d->ended = false;
    if (supervise_send(d->fd, d->msg, e) < 0)
        return err_wrap(e, "stopping the daemon");
    int64_t deadline = clock_deadline(grace_ms + STOP_EXTRA_MS);
    while (!d->ended && !d->lost && !clock_passed(deadline))
        daemon_pump(d, (int)clock_left_ms(deadline));
    if (!d->ended)
        return err_set(e, ERR_TIMEOUT, "the daemon does not end");
    return 0;
}

int daemon_signal(struct daemon *d, int number, struct err *e)
{
    supervise_reset(d->msg, SUPERVISE_SIGNAL);
    d->msg->service = DAEMON_SERVICE;
    d->msg->signal = number;
    return supervise_send(d->fd, d->msg, e);
}

char *daemon_end_text(const struct daemon *d)
{
    return mem_printf("the daemon ended with status %d%s%s%s", d->status,
                      d->oom ? ": the container's memory ran out and the kernel killed a process"
                             : "",
                      *d->tail ? ": " : "", d->tail);
}

int daemon_well(struct daemon *d, struct err *e)
{
    supervise_reset(d->msg, SUPERVISE_WELL);
    return supervise_send(d->fd, d->msg, e);
}

int daemon_waits(struct daemon *d, struct err *e)
{
    supervise_reset(d->msg, SUPERVISE_WAITS);
    return supervise_send(d->fd, d->msg, e);
}

void daemon_exit(struct daemon *d, int status)
{
    struct err e;

    supervise_reset(d->msg, SUPERVISE_EXIT);
    d->msg->status = status;
    if (!d->lost && supervise_send(d->fd, d->msg, &e) < 0)
        err_drop(&e, "saying goodbye to init");
}

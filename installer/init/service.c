/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/mem.h"

struct service *service_find(struct init *in, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(in->services); i++)
        if (in->services[i].pid && strcmp(in->services[i].name, name) == 0)
            return &in->services[i];
    return NULL;
}

struct service *service_main(struct init *in)
{
    for (size_t i = 0; i < ARRAY_LEN(in->services); i++)
        if (in->services[i].pid && in->services[i].main)
            return &in->services[i];
    return NULL;
}

void service_tell(struct init *in)
{
    struct err e;
    size_t len;

    if (in->socket < 0)
        return;
    if (supervise_encode(in->reply.raw, sizeof(in->reply.raw), &len, &in->reply, &e) < 0) {
        spawn_say("%s", e.msg);
        return;
    }
    if (send(in->socket, in->reply.raw, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EAGAIN)
        spawn_say("the agent does not read its messages");
}

void service_tell_state(struct init *in)
{
    struct supervise_msg *r = &in->reply;

    supervise_reset(r, SUPERVISE_STATE);
    r->agent_starts = in->agent_starts;
    r->stopping = in->phase != PHASE_RUN;
    for (size_t i = 0; i < ARRAY_LEN(in->services); i++) {
        const struct service *s = &in->services[i];

        if (s->pid)
            r->services[r->service_count++] = (struct supervise_service){
                .name = s->name,
                .tag = s->tag,
                .pid = s->pid,
                .main = s->main,
                .since_ms = s->since_ms,
            };
    }
    if (listen_fd(&in->listener) >= 0)
        r->services[r->service_count++] = (struct supervise_service){
            .name = in->listener.name, .tag = "", .since_ms = in->listener.since_ms};
    service_tell(in);
}

static void tell(struct init *in, enum supervise_kind kind, const char *name, pid_t pid, int status)
{
    supervise_reset(&in->reply, kind);
    in->reply.service = name;
    in->reply.pid = pid;
    in->reply.status = status;
    in->reply.tail = in->tail;
    service_tell(in);
    in->tail[0] = '\0';
}

static struct service *free_row(struct init *in)
{
    for (size_t i = 0; i < ARRAY_LEN(in->services); i++)
        if (!in->services[i].pid)
            return &in->services[i];
    return NULL;
}

/* Why the service may not run now, or NULL. */
static const char *refusal(struct init *in, const struct supervise_msg *m)
{
    if (in->phase != PHASE_RUN)
        return "the container stops";
    if (service_find(in, m->service) || strcmp(in->listener.name, m->service) == 0)
        return "it runs already";
    if (m->main && service_main(in))
        return "another main service runs";
    if (!free_row(in))
        return "there are too many services";
    return NULL;
}

static void run(struct init *in)
{
    const struct supervise_msg *m = &in->msg;
    const char *why = refusal(in, m);
    struct service *s = free_row(in);
    int status;
    struct spawn sp = {
        .argv = m->argv,
        .env = m->env,
        .cwd = m->cwd,
        .keep_fd = -1,
        .set_user = true,
        .uid = m->uid,
        .gid = m->gid,
        .groups = m->groups,
        .group_count = m->group_count,
    };

    if (why || !s) {
        spawn_say("%s is not started: %s", m->service, why);
        tell(in, SUPERVISE_EXITED, m->service, 0, 126);
        return;
    }
    memset(s, 0, sizeof(*s));
    if (m->main) {
        in->decide_by = 0;
        output_forget(&in->output);
        sp.outputs = in->has_output ? in->output.in : NULL;
    }
    status = spawn_run(&s->pid, &sp);
    if (status) {
        tell(in, SUPERVISE_EXITED, m->service, 0, status);
        if (m->main)
            service_main_ended(in, status);
        return;
    }
    snprintf(s->name, sizeof(s->name), "%s", m->service);
    snprintf(s->tag, sizeof(s->tag), "%s", m->tag);
    s->main = m->main;
    s->stop_signal = m->stop_signal ? m->stop_signal : SIGTERM;
    s->grace_ms = m->grace_ms;
    s->since_ms = clock_wall_ms();
    tell(in, SUPERVISE_STARTED, s->name, s->pid, 0);
}

static void start_listening(struct init *in)
{
    const struct supervise_msg *m = &in->msg;
    const char *why = refusal(in, m);

    if (!why && listen_fd(&in->listener) >= 0)
        why = "another one waits for connections";
    if (why)
        spawn_say("%s is not started: %s", m->service, why);
    if (why || !listen_start(&in->listener, m))
        tell(in, SUPERVISE_EXITED, m->service, 0, 126);
    else
        tell(in, SUPERVISE_STARTED, m->service, 0, 0);
}

void service_stop(struct service *s)
{
    if (s->kill_at)
        return;
    kill(s->pid, s->stop_signal);
    s->kill_at = clock_now_ms() + s->grace_ms;
}

void service_finish(struct init *in, int status)
{
    if (in->phase >= PHASE_STOP_REST)
        return;
    in->phase = PHASE_STOP_REST;
    listen_stop(&in->listener);
    in->decide_by = 0;
    in->status = status;
    in->deadline = clock_now_ms() + INIT_REST_GRACE_MS;
    for (size_t i = 0; i < ARRAY_LEN(in->services); i++)
        if (in->services[i].pid)
            service_stop(&in->services[i]);
    spawn_signal_all(SIGTERM);
}

void service_handle(struct init *in)
{
    const struct supervise_msg *m = &in->msg;
    struct service *s = m->service ? service_find(in, m->service) : NULL;

    switch (m->kind) {
    case SUPERVISE_RUN:
        run(in);
        return;
    case SUPERVISE_LISTEN:
        start_listening(in);
        return;
    case SUPERVISE_STOP:
        if (strcmp(in->listener.name, m->service) == 0)
            listen_stop(&in->listener);
        if (!s) { /* it ended meanwhile: say so again, so that nobody waits for ever */
            in->decide_by = 0;
            tell(in, SUPERVISE_EXITED, m->service, 0, 0);
            return;
        }
        s->stop_asked = true;
        service_stop(s);
        return;
    case SUPERVISE_SIGNAL:
        if (s)
            kill(s->pid, m->signal);
        return;
    case SUPERVISE_QUERY:
        service_tell_state(in);
        return;
    case SUPERVISE_WELL:
        release_well(&in->release);
        return;
    case SUPERVISE_WAITS:
        release_waits(&in->release);
        return;
    case SUPERVISE_EXIT:
        if (service_main(in))
            spawn_say("the agent gives up with status %d; the daemon runs on", m->status);
        else
            service_finish(in, m->status);
        return;
    default:
        spawn_say("the agent sent a message of kind %d", (int)m->kind);
    }
}

void service_main_ended(struct init *in, int status)
{
    if (in->phase != PHASE_RUN || in->socket < 0) {
        service_finish(in, status);
        return;
    }
    in->end_status = status;
    in->decide_by = clock_now_ms() + SUPERVISE_DECIDE_MS;
}

bool service_ended(struct init *in, pid_t pid, int status)
{
    for (size_t i = 0; i < ARRAY_LEN(in->services); i++) {
        struct service *s = &in->services[i];

        if (s->pid != pid)
            continue;
        kill(-pid, SIGKILL); /* what it left in its process group */
        s->pid = 0;
        if (s->main && in->has_output) {
            output_pass(&in->output);
            output_tail(&in->output, in->tail);
        }
        tell(in, SUPERVISE_EXITED, s->name, pid, status);
        if (s->main && in->phase <= PHASE_STOP_MAIN && (!s->stop_asked || in->phase))
            service_main_ended(in, status);
        return true;
    }
    return false;
}

void service_check_deadlines(struct init *in)
{
    for (size_t i = 0; i < ARRAY_LEN(in->services); i++) {
        struct service *s = &in->services[i];

        if (!s->pid || !s->kill_at || clock_now_ms() < s->kill_at)
            continue;
        spawn_say("%s did not stop within %d ms and is killed", s->name, (int)s->grace_ms);
        kill(-s->pid, SIGKILL);
        kill(s->pid, SIGKILL);
        s->kill_at = INT64_MAX;
    }
}

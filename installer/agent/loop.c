/* SPDX-License-Identifier: MIT */
#include "agent/agent.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"

enum {
    READY_EVERY_MS = 200,
    READY_LATE_EVERY_MS = 1000,
    READY_HOOK_MS = 30000, /* it may wait inside: cheaper than being asked again and again */
    APPLY_AGAIN_MS = 10000,
    FILE_EVERY_MS = 1000,
    TURN_MS = 1000,
    FLUSH_MS = 1500,
    TRIM_AFTER_MS = 3000,
    WAITS_EVERY_MS = 1000,
};

/* For hooks that speak with the daemon: when it ends, they need not go on. */
static bool idle_with_daemon(void *arg)
{
    struct agent *a = arg;

    return agent_idle(arg) || (agent_has_daemon(a) && !a->d.pid);
}

/* ---- ready and apply ---- */

/* True when the hook says so, or there is none. *why is its last line, owned. */
static bool ask_ready(struct agent *a, char **why)
{
    struct hook_call call;
    struct hook_result result;
    struct err e;
    auto_free char *path = NULL;

    if (!agent_hook(&call, &path, a, "ready"))
        return true;
    call.deadline = clock_deadline(READY_HOOK_MS);
    call.log = HOOK_LOG_DEBUG;
    call.idle = idle_with_daemon;
    int ran = hook_run(&result, &call, &e);
    bool ready = ran == 0 && result.status == 0;
    if (!ready && ran < 0)
        *why = mem_strdup(e.msg);
    else if (!ready)
        *why = steal(result.last_line);
    hook_result_clear(&result);
    return ready;
}

/* -1: it failed, and is tried again later. */
static int run_apply(struct agent *a, bool *unfinished, struct err *e)
{
    struct hook_call call;
    auto_free char *path = NULL;

    *unfinished = false;
    if (!agent_hook(&call, &path, a, "apply"))
        return 0;
    auto_free char *changed = strv_join(&a->changed, " ");
    call.changed = changed;
    call.idle = idle_with_daemon;
    call.unfinished = unfinished;
    return hook_must(&call, e);
}

static void apply_changes(struct agent *a)
{
    struct err e;
    struct agent_ack ack = {.tree = a->tree};
    bool unfinished;

    if (run_apply(a, &unfinished, &e) < 0) {
        if (e.code == ERR_INTERRUPTED)
            return;
        log_error("%s", e.msg);
        a->apply_at = clock_deadline(APPLY_AGAIN_MS);
        ack.error = e.msg;
    } else if (unfinished) {
        return; /* it is run again in the next turn, with what is new by then */
    } else {
        strv_clear(&a->changed);
    }
    if (a->rejected && !ack.error)
        return; /* the newest keys are others, and are acknowledged already */
    agent_acknowledge(a, &ack);
    agent_save(a);
}

static void become_ready(struct agent *a)
{
    a->ready = true;
    agent_has_data(a);
    a->health_at = 0;
    if (a->changed.count)
        apply_changes(a);
    if (!a->d.stopping)
        agent_say(a, STATE_READY, HEALTH_UNKNOWN, "");
    trial_ready(a);
    if (!a->trial.back)
        restart_slot_release(&a->slot);
    a->trim_at = clock_deadline(TRIM_AFTER_MS);
}

/* A daemon that does not live for so long was never ready. */
static int64_t settled_at(const struct agent *a)
{
    int64_t settle = keep_end_settle_ms(&a->end);

    if (!agent_has_daemon(a))
        return 0;
    return a->launched_at + (settle > a->m->ready_settle_ms ? settle : a->m->ready_settle_ms);
}

static void check_ready(struct agent *a)
{
    auto_free char *why = NULL;
    struct err e;

    if (ask_ready(a, &why)) {
        a->ready_at = settled_at(a);
        if (clock_passed(a->ready_at))
            become_ready(a);
        return;
    }
    a->ready_at = clock_deadline(a->late ? READY_LATE_EVERY_MS : READY_EVERY_MS);
    if (a->late || !clock_passed(a->ready_by) || a->d.stopping || !a->d.pid)
        return;
    auto_free char *text =
        mem_printf("not ready after %lld s%s%s", (long long)(a->m->ready_deadline_ms / 1000),
                   why && *why ? ": " : "", why ? why : "");
    if (a->trial.on) {
        err_set(&e, ERR_TIMEOUT, "%s", text);
        if (trial_go_back(a, &e) < 0)
            agent_give_up(a, err_exit_status(e.code), e.msg);
        return;
    }
    log_error("%s", text);
    a->late = true;
    if (a->trial.back)
        return;
    restart_slot_release(&a->slot);
    struct agent_ack ack = {.tree = a->tree, .error = text};
    agent_acknowledge(a, &ack);
    agent_say(a, STATE_FAILED, HEALTH_UNKNOWN, text);
}

/* ---- health ---- */

static void check_health(struct agent *a)
{
    struct hook_call call;
    struct hook_result result;
    struct err e;
    auto_free char *path = NULL;

    a->health_at = clock_deadline(a->m->health_every_ms);
    if (!agent_hook(&call, &path, a, "health")) {
        if (a->status.health != HEALTH_HEALTHY)
            agent_say(a, STATE_READY, HEALTH_HEALTHY, "");
        return;
    }
    call.deadline = clock_deadline(a->m->health_deadline_ms);
    call.log = HOOK_LOG_DEBUG;
    call.idle = idle_with_daemon;
    int ran = hook_run(&result, &call, &e);
    bool healthy = ran == 0 && result.status == 0;
    const char *reason = ran < 0 ? e.msg : result.last_line;
    enum health health = healthy ? HEALTH_HEALTHY : HEALTH_UNHEALTHY;
    bool news = health != a->status.health ||
                (!healthy && strcmp(reason, a->status.reason ? a->status.reason : "") != 0);
    if (news && (ran == 0 || e.code != ERR_INTERRUPTED))
        agent_say(a, STATE_READY, health, reason);
    hook_result_clear(&result);
}

/* ---- the loop ---- */

static void check_file(struct agent *a)
{
    struct err e;
    struct tree *t = NULL;

    if (!a->link || !a->link->file || !clock_passed(a->file_at))
        return;
    a->file_at = clock_deadline(FILE_EVERY_MS);
    if (tree_load(&t, a->link->path, a->m->name, &e) < 0) {
        err_drop(&e, "reading the snapshot again");
        return;
    }
    char old[65], now[65];
    tree_hash(old, a->tree);
    tree_hash(now, t);
    if (strcmp(old, now) != 0 && strcmp(t->prefix, a->tree->prefix) == 0)
        agent_change(a, t);
    else
        tree_free(t);
}

/* A release is not to blame for an etcd that does not answer. Said again and again: without it the
 * time of the trial counts. */
static void say_waits(struct agent *a)
{
    struct err e;

    if (!clock_passed(a->waits_at) || !a->uplink || !uplink_is_silent(a->uplink))
        return;
    a->waits_at = clock_deadline(WAITS_EVERY_MS);
    if (daemon_waits(&a->d, &e) < 0)
        err_drop(&e, "telling init that etcd does not answer");
}

/*
 * A release of the agent works when it has the instance where it was, and etcd has heard it. When
 * an instance was not well before either, that is not the agent's fault.
 */
static void say_well(struct agent *a)
{
    struct err e;
    bool well = a->ready && a->status.health == HEALTH_HEALTHY;
    bool heard = !agent_has_etcd(a) || (a->uplink && uplink_is_heard(a->uplink));

    if (a->well || a->told)
        return;
    if (!heard)
        say_waits(a);
    if (!heard || !(well || a->was_unwell))
        return;
    a->well = true;
    if (daemon_well(&a->d, &e) < 0)
        err_drop(&e, "telling init that the agent works");
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void wait_for_news(struct agent *a)
{
    int64_t next = earlier(clock_deadline(TURN_MS), a->save_at);

    if (!a->d.stopping) {
        next = earlier(next, a->ready ? a->health_at : a->ready_at);
        if (a->ready && a->changed.count)
            next = earlier(next, a->apply_at);
        if (a->trial.on)
            next = earlier(next, a->trial.proven_at);
        if (a->waiting)
            next = earlier(next, a->turn_at);
    }
    struct pollfd fds[] = {{.fd = a->d.fd, .events = POLLIN},
                           {.fd = a->uplink ? uplink_fd(a->uplink) : -1, .events = POLLIN}};
    poll(fds, ARRAY_LEN(fds), (int)clock_left_ms(next));
}

static void take_news(struct agent *a)
{
    struct tree *t = a->uplink ? uplink_take(a->uplink) : NULL;

    if (t) {
        agent_change(a, t);
        a->trim_at = clock_deadline(TRIM_AFTER_MS);
    }
    agent_try_turn(a);
    check_file(a);
}

/* The daemon runs, or there is none to run. */
static void attend(struct agent *a)
{
    take_news(a);
    if (!a->ready && clock_passed(a->ready_at))
        check_ready(a);
    else if (a->ready && a->changed.count && clock_passed(a->apply_at))
        apply_changes(a);
    if (a->trial.on && clock_passed(a->trial.proven_at))
        trial_prove(a);
    /* Also between the runs of a hook `apply` that has much to do. */
    if (a->ready && !a->d.stopping && clock_passed(a->health_at))
        check_health(a);
}

/* Nobody asked for it. */
static void daemon_ended(struct agent *a)
{
    auto_free char *path = keep_path(a->o, a->m, KEEP_END);
    auto_free char *text = daemon_end_text(&a->d);
    struct err e;

    a->status.ended = NULL;
    keep_end_add(&a->end, clock_now_ms() - a->launched_at, text);
    if (keep_make(a->o, a->m, &e) < 0 || keep_end_save(&a->end, path, &e) < 0)
        err_drop(&e, "remembering the daemon's end");
    a->status.ended = a->end.text;
    a->status.ended_ms = a->end.at_ms;
    if (trial_goes_on(a))
        return;
    a->status.ended = NULL; /* the state itself says it */
    log_error("the daemon ended with status %d", a->d.status);
    /* init ends the container: by itself when nobody says anything for some seconds. */
    agent_give_up(a, a->d.status, text);
}

static void stop(struct agent *a)
{
    if (a->ready)
        trial_prove(a);
    agent_say(a, STATE_STOPPING, a->status.health, "");
    a->told = true;
}

int agent_loop(struct agent *a)
{
    while (!a->d.lost && sig_interrupts() == 0) {
        if (a->d.stopping && !a->told)
            stop(a);
        else if (!a->told && agent_has_daemon(a) && !a->d.pid)
            daemon_ended(a);
        else if (!a->told)
            attend(a);
        say_well(a);
        if (clock_passed(a->trim_at)) { /* what a start or a change needed is not needed again */
            malloc_trim(0);
            a->trim_at = CLOCK_NEVER;
        }
        wait_for_news(a);
        agent_idle(a);
    }
    /* Init ends us as soon as the daemon is gone, perhaps before the loop saw that it stops. */
    if (!a->told && a->d.stopping)
        stop(a);
    else if (!a->told)
        agent_say(a, STATE_STOPPING, a->status.health, "");
    a->cut_off = !uplink_stop(steal(a->uplink), FLUSH_MS);
    return 0;
}

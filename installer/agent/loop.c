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
    SAVE_EVERY_MS = 15000,
    FILE_EVERY_MS = 1000,
    TURN_MS = 1000,
    FLUSH_MS = 1500,
    TRIM_AFTER_MS = 3000,
};

bool agent_has_daemon(const struct agent *a)
{
    return a->config->argv.count > 0;
}

void agent_connect(struct agent *a)
{
    struct err e;
    a->connect_at = CLOCK_NEVER;
    if (a->uplink || !a->link || a->link->file || !a->tree)
        return;
    struct uplink_opts o = {.link = a->link,
                            .component = a->m->name,
                            .env = a->tree->env,
                            .instance = a->tree->instance,
                            .client = steal(a->client),
                            .revision = a->store_revision};
    if (uplink_start(&a->uplink, &o, &e) < 0) {
        log_error("%s", e.msg);
        return;
    }
    uplink_say_status(a->uplink, status_text(&a->status));
}

static void save_state(struct agent *a)
{
    struct err e;
    a->save_at = clock_deadline(SAVE_EVERY_MS);
    if (status_save(&a->status, a->o->run_dir, &e) < 0)
        err_drop(&e, "state for the health check");
}

void agent_say(struct agent *a, enum state state, enum health health, const char *reason)
{
    enum state old = a->status.state;
    enum health old_health = a->status.health;
    auto_free char *old_why = mem_strdup(a->status.reason ? a->status.reason : "");
    status_set(&a->status, state, health, reason);
    const char *why = a->status.reason && *a->status.reason ? a->status.reason : NULL;
    if (state == STATE_READY && old != STATE_READY)
        log_info("ready");
    if (health == HEALTH_UNHEALTHY &&
        (old_health != health || status_reason_is_other(old_why, why ? why : "")))
        log_warn("unhealthy%s%s", why ? ": " : "", why ? why : "");
    if (health == HEALTH_HEALTHY && old_health == HEALTH_UNHEALTHY)
        log_info("healthy again");
    save_state(a);
    if (a->uplink)
        uplink_say_status(a->uplink, status_text(&a->status));
}

void agent_acknowledge(struct agent *a, const struct agent_ack *ack)
{
    char hash[65];
    tree_hash(hash, ack->tree);
    struct applied applied = {.revision = ack->tree->revision,
                              .hash = hash,
                              .error = ack->error,
                              .pending = ack->pending};
    agent_connect(a);
    if (a->uplink)
        uplink_say_applied(a->uplink, applied_text(&applied));
}

bool agent_idle(void *arg)
{
    struct agent *a = arg;
    daemon_pump(&a->d, 0);
    if (clock_passed(a->connect_at))
        agent_connect(a);
    if (clock_passed(a->save_at) && a->tree)
        save_state(a);
    turn_keep(&a->turn);
    return a->d.stopping || a->d.lost || sig_interrupts() > 0;
}

/* For hooks that speak with the daemon: when it ends, they need not go on. */
static bool idle_with_daemon(void *arg)
{
    struct agent *a = arg;
    return agent_idle(arg) || (agent_has_daemon(a) && !a->d.pid);
}

bool agent_hook(struct hook_call *call, char **path, struct agent *a, const char *name)
{
    *path = manifest_hook(a->m, name);
    *call = (struct hook_call){.path = *path,
                               .name = name,
                               .env = &a->config->env,
                               .deadline = clock_deadline(a->m->hook_deadline_ms),
                               .wake_fd = a->d.fd,
                               .idle = agent_idle,
                               .arg = a};
    return *path != NULL;
}

/* ---- ready and apply
 * ------------------------------------------------------------------------------ */

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
    a->health_at = 0;
    if (a->changed.count)
        apply_changes(a);
    if (!a->d.stopping)
        agent_say(a, STATE_READY, HEALTH_UNKNOWN, "");
    agent_save(a);
    turn_release(&a->turn);
    a->trim_at = clock_deadline(TRIM_AFTER_MS);
}

static void check_ready(struct agent *a)
{
    auto_free char *why = NULL;
    if (ask_ready(a, &why)) {
        become_ready(a);
        return;
    }
    a->ready_at = clock_deadline(a->late ? READY_LATE_EVERY_MS : READY_EVERY_MS);
    if (a->late || !clock_passed(a->ready_by) || a->d.stopping || !a->d.pid)
        return;
    auto_free char *text =
        mem_printf("not ready after %lld s%s%s", (long long)(a->m->ready_deadline_ms / 1000),
                   why && *why ? ": " : "", why ? why : "");
    log_error("%s", text);
    a->late = true;
    turn_release(&a->turn);
    struct agent_ack ack = {.tree = a->tree, .error = text};
    agent_acknowledge(a, &ack);
    agent_say(a, STATE_FAILED, HEALTH_UNKNOWN, text);
}

/* ---- health
 * --------------------------------------------------------------------------------------- */

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

/* ---- the loop
 * ------------------------------------------------------------------------------------- */

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
    /* Also between the runs of a hook `apply` that has much to do. */
    if (a->ready && !a->d.stopping && clock_passed(a->health_at))
        check_health(a);
}

int agent_loop(struct agent *a)
{
    bool told = false;
    while (!a->d.lost && sig_interrupts() == 0) {
        bool running = !agent_has_daemon(a) || a->d.pid;
        if (a->d.stopping && !told) {
            agent_say(a, STATE_STOPPING, a->status.health, "");
            told = true;
        } else if (!running && !told) {
            auto_free char *text = mem_printf("the daemon ended with status %d", a->d.status);
            log_error("%s", text);
            agent_say(a, STATE_FAILED, HEALTH_UNKNOWN, text);
            /* init ends the container by itself unless it was asked to stop the daemon, which then
             * took longer than the asker waited. */
            daemon_exit(&a->d, a->d.status);
            told = true;
        } else if (!told) {
            attend(a);
        }
        if (clock_passed(a->save_at))
            save_state(a);
        if (clock_passed(a->trim_at)) { /* what a start or a change needed is not needed again */
            malloc_trim(0);
            a->trim_at = CLOCK_NEVER;
        }
        wait_for_news(a);
        agent_idle(a);
    }
    if (!told)
        agent_say(a, STATE_STOPPING, a->status.health, "");
    a->cut_off = !uplink_stop(steal(a->uplink), FLUSH_MS);
    return 0;
}

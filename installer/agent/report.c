/* SPDX-License-Identifier: MIT */
/* What the agent says, to the log, to etcd and to the health check, and what it records. */
#include "agent/agent.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"

enum { SAVE_EVERY_MS = 15000 };

bool agent_has_etcd(const struct agent *a)
{
    return a->link && !a->link->file;
}

void agent_connect(struct agent *a)
{
    struct err e;

    a->connect_at = CLOCK_NEVER;
    if (a->uplink || !agent_has_etcd(a) || !a->tree)
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
                              .pending = ack->pending,
                              .had_data = a->had_data};
    agent_connect(a);
    if (a->uplink)
        uplink_say_applied(a->uplink, applied_text(&applied));
}

void agent_has_data(struct agent *a)
{
    auto_free char *mark = keep_path(a->o, a->m, KEEP_LOST);

    a->had_data = a->m->data_root != NULL;
    a->data_lost = false;
    if (unlink(mark) < 0 && errno != ENOENT)
        log_warn("%s: %s", mark, strerrordesc_np(errno));
}

void agent_give_up(struct agent *a, int status, const char *why)
{
    agent_say(a, STATE_FAILED, HEALTH_UNKNOWN, why);
    daemon_exit(&a->d, status);
    a->told = true;
}

void agent_save(struct agent *a)
{
    struct err e;
    auto_free char *mine = fs_join(a->o->run_dir, "snapshot.json");

    if (tree_save(a->tree, mine, &e) < 0)
        err_drop(&e, "snapshot for the next agent");
    auto_free char *kept = keep_path(a->o, a->m, KEEP_SNAPSHOT);
    if (!a->ready || a->trial.on || !a->tree->from_etcd)
        return;
    if (keep_make(a->o, a->m, &e) < 0 || tree_save(a->tree, kept, &e) < 0)
        log_warn("%s", e.msg);
}

void agent_report_failure(struct agent *a, const struct err *e)
{
    if (!a->tree || e->code == ERR_INTERRUPTED)
        return;
    agent_say(a, STATE_FAILED, HEALTH_UNKNOWN, e->msg);
    struct agent_ack ack = {.tree = a->tree, .error = e->msg};
    agent_acknowledge(a, &ack);
    agent_connect(a);
}

bool agent_idle(void *arg)
{
    struct agent *a = arg;

    daemon_pump(&a->d, 0);
    if (clock_passed(a->connect_at))
        agent_connect(a);
    if (clock_passed(a->save_at) && a->tree)
        save_state(a);
    restart_slot_keep(&a->slot);
    return a->d.stopping || a->d.lost || sig_interrupts() > 0;
}

/* SPDX-License-Identifier: MIT */
#include "agent/agent.h"

#include <string.h>

#include "agent/files.h"
#include "agent/hook_env.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { TURN_AGAIN_MS = 500, TURN_AWAY_MS = 5000 };

/* What a new tree is, worked out before anything is touched. */
struct transition {
    struct tree *tree;
    struct config *config;
    struct files *files;
    struct config_diff changes;
};

static void transition_clear(struct transition *p)
{
    tree_free(p->tree);
    config_free(p->config);
    files_free(p->files);
    config_diff_clear(&p->changes);
    *p = (struct transition){0};
}

static int transition_build(struct transition *p, struct agent *a, struct tree *t, struct err *e)
{
    *p = (struct transition){.tree = t};
    if (config_build(&p->config, a->m, t, a->o, e) < 0)
        return -1;
    config_compare(&p->changes, a->m, (struct config_version){a->tree, a->config},
                   (struct config_version){t, p->config});
    struct files_source source = {.manifest = a->m,
                                  .tree = t,
                                  .config = p->config,
                                  .password = a->link ? a->link->password : NULL};
    return p->changes.effective ? files_build(&p->files, &source, e) : 0;
}

/* The new tree is in effect from now on; what was there is in the transition. */
static void swap_in(struct agent *a, struct transition *p)
{
    struct tree *t = a->tree;
    struct config *c = a->config;

    a->tree = p->tree;
    a->config = p->config;
    p->tree = t;
    p->config = c;
    a->status.from_snapshot = !a->tree->from_etcd;
}

static void reject(struct agent *a, const struct tree *t, const char *why)
{
    log_error("the new configuration is not brought into effect: %s", why);
    a->rejected = true;
    struct agent_ack ack = {.tree = t, .error = why};
    agent_acknowledge(a, &ack);
}

static void acknowledge_now(struct agent *a)
{
    a->rejected = false;
    struct agent_ack ack = {.tree = a->tree};
    agent_acknowledge(a, &ack);
    agent_save(a);
}

/* ---- live and reload ---- */

static int touch(struct agent *a, struct transition *p, struct err *e)
{
    if (files_write(p->files, e) < 0 || hook_env_save(&p->config->env, a->o->run_dir, e) < 0)
        return -1;
    if (p->changes.kind == APPLY_KIND_RELOAD && a->d.pid)
        return daemon_signal(&a->d, a->m->reload_signal, e);
    return 0;
}

static void apply_now(struct agent *a, struct transition *p)
{
    struct err e;
    auto_free char *names = strv_join(&p->changes.names, " ");

    trial_begin(a);
    if (touch(a, p, &e) < 0) {
        reject(a, p->tree, e.msg);
        return;
    }
    log_info("%s: %s", p->changes.kind == APPLY_KIND_RELOAD ? "reloaded" : "changed", names);
    swap_in(a, p);
    if (a->ready)
        trial_watch(a);
    a->rejected = false; /* what was refused before is no longer the newest */
    auto_free char *hook = manifest_hook(a->m, "apply");
    if (p->changes.live && hook) { /* the loop runs it and acknowledges */
        for (size_t i = 0; i < p->changes.names.count; i++)
            if (!strv_has(&a->changed, p->changes.names.items[i]))
                strv_add(&a->changed, p->changes.names.items[i]);
        a->apply_at = 0;
        return;
    }
    if (a->ready)
        acknowledge_now(a);
}

/* ---- restart ---- */

static void restart(struct agent *a, struct transition *p)
{
    struct err e;
    auto_free char *names = strv_join(&p->changes.names, " ");
    auto_free char *reason = mem_printf("restarted for: %s", names);

    log_info("restarting the daemon for: %s", names);
    agent_say(a, STATE_STARTING, HEALTH_UNKNOWN, reason);
    if (a->d.pid && daemon_stop(&a->d, a->m->stop_grace_ms, &e) < 0) {
        reject(a, p->tree, e.msg);
        return;
    }
    trial_begin(a);
    swap_in(a, p);
    a->rejected = false;
    a->status.restarts++;
    if (agent_launch(a, &e) < 0) {
        if (trial_go_back(a, &e) < 0)
            agent_give_up(a, err_exit_status(e.code), e.msg);
        return;
    }
    agent_save(a);
    agent_say(a, STATE_STARTING, HEALTH_UNKNOWN, NULL);
}

static bool needs_turn(const struct agent *a)
{
    return agent_has_etcd(a) && a->m->update && strcmp(a->m->update, "one_by_one") == 0 &&
           agent_has_daemon(a);
}

static void wait_for_turn(struct agent *a, struct transition *p)
{
    auto_strv struct strv pending = {0};

    for (size_t i = 0; i < p->changes.names.count; i++)
        strv_addf(&pending, "%s needs restart", p->changes.names.items[i]);
    struct agent_ack ack = {.tree = a->tree, .pending = &pending};
    agent_acknowledge(a, &ack);
    tree_free(a->waiting);
    a->waiting = steal(p->tree);
    a->turn_at = 0;
}

/* 1 when it is ours. */
static int take_turn(struct agent *a)
{
    struct slot_owner who = {a->link, a->tree->env, a->tree->component, a->tree->instance};
    struct err e;

    if (a->slot.lost)
        restart_slot_release(&a->slot);
    if (restart_slot_is_taken(&a->slot) || restart_slot_take(&a->slot, &who, &e) == 0)
        return 1;
    a->turn_at = clock_deadline(e.code == ERR_LOCKED ? TURN_AGAIN_MS : TURN_AWAY_MS);
    err_drop(&e, "waiting for the turn to restart");
    return 0;
}

void agent_try_turn(struct agent *a)
{
    if (!clock_passed(a->turn_at))
        return;
    /* While one is back from a configuration that does not work, no other needs to try it. */
    if (!a->waiting && a->trial.back && needs_turn(a) && take_turn(a))
        a->turn_at = clock_deadline(TURN_AWAY_MS);
    if (!a->waiting || !take_turn(a))
        return;
    agent_change(a, steal(a->waiting));
    if (a->ready && !a->trial.back) /* nothing was restarted after all */
        restart_slot_release(&a->slot);
}

/* ---- any ---- */

void agent_change(struct agent *a, struct tree *t)
{
    struct transition p;
    struct err e;

    tree_free(steal(a->waiting)); /* the newer keys hold its change too */
    t->clear_secrets = a->tree->clear_secrets;
    if (transition_build(&p, a, t, &e) < 0) {
        reject(a, t, e.msg);
    } else if (!p.changes.effective) {
        bool news = p.changes.any || a->status.from_snapshot != !t->from_etcd || a->rejected ||
                    a->tree->revision != t->revision;

        swap_in(a, &p);
        trial_forget(a);
        a->rejected = false;
        a->apply_at = 0; /* a hook that failed is asked again at once */
        if (a->ready)
            restart_slot_release(&a->slot);
        if (news && a->ready && !a->changed.count)
            acknowledge_now(a);
        if (news)
            agent_say(a, a->status.state, a->status.health, NULL);
    } else if (trial_refuses(a, (struct config_version){t, p.config})) {
        a->rejected = true;
    } else if (p.changes.kind != APPLY_KIND_RESTART) {
        trial_forget(a);
        if (a->ready)
            restart_slot_release(&a->slot);
        apply_now(a, &p);
    } else if (needs_turn(a) && !restart_slot_is_taken(&a->slot)) {
        wait_for_turn(a, &p);
    } else {
        trial_forget(a);
        restart(a, &p);
    }
    transition_clear(&p);
}

/* SPDX-License-Identifier: MIT */
#include "agent/agent.h"

#include <string.h>

#include "agent/files.h"
#include "agent/hook_env.h"
#include "agent/source.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"

enum { TURN_AGAIN_MS = 500, TURN_AWAY_MS = 5000 };

/* What a new tree is, worked out before anything is touched. */
struct plan {
    struct tree *tree;
    struct config *config;
    struct files *files;
    struct changes changes;
};

static void plan_clear(struct plan *p)
{
    tree_free(p->tree);
    config_free(p->config);
    files_free(p->files);
    changes_clear(&p->changes);
    *p = (struct plan){0};
}

static int plan_build(struct plan *p, struct agent *a, struct tree *t, struct err *e)
{
    *p = (struct plan){.tree = t};
    if (config_build(&p->config, a->m, t, a->o, e) < 0)
        return -1;
    config_compare(&p->changes, a->m, (struct config_state){a->tree, a->config},
                   (struct config_state){t, p->config});
    struct files_source source = {.manifest = a->m,
                                  .tree = t,
                                  .config = p->config,
                                  .password = a->link ? a->link->password : NULL};
    return p->changes.effective ? files_build(&p->files, &source, e) : 0;
}

/* The plan's tree is in effect from now on; what was there is in the plan. */
static void swap_in(struct agent *a, struct plan *p)
{
    struct tree *t = a->tree;
    struct config *c = a->config;
    a->tree = p->tree;
    a->config = p->config;
    p->tree = t;
    p->config = c;
    a->status.from_snapshot = !a->tree->from_etcd;
}

void agent_save(struct agent *a)
{
    struct err e;
    auto_free char *mine = fs_join(a->o->run_dir, "snapshot.json");
    if (tree_save(a->tree, mine, &e) < 0)
        err_drop(&e, "snapshot for the next agent");
    auto_free char *kept = source_snapshot_path(a->o, a->m);
    const char *data = source_data_dir(a->o, a->m);
    if (!kept || !a->ready || !a->tree->from_etcd || !fs_exists(data))
        return;
    auto_free char *dir = fs_join(data, ".slipway");
    if (fs_mkdirs(dir, 0700, &e) < 0 || tree_save(a->tree, kept, &e) < 0)
        log_warn("%s", e.msg);
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

/* ---- live and reload
 * ------------------------------------------------------------------------------ */

static int touch(struct agent *a, struct plan *p, struct err *e)
{
    if (files_write(p->files, e) < 0 || hook_env_save(&p->config->env, a->o->run_dir, e) < 0)
        return -1;
    if (p->changes.kind == APPLY_KIND_RELOAD && a->d.pid)
        return daemon_signal(&a->d, a->m->reload_signal, e);
    return 0;
}

static void apply_now(struct agent *a, struct plan *p)
{
    struct err e;
    auto_free char *names = strv_join(&p->changes.names, " ");
    if (touch(a, p, &e) < 0) {
        reject(a, p->tree, e.msg);
        return;
    }
    log_info("%s: %s", p->changes.kind == APPLY_KIND_RELOAD ? "reloaded" : "changed", names);
    swap_in(a, p);
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

/* ---- restart
 * --------------------------------------------------------------------------------------- */

static int stop_daemon(struct agent *a, struct err *e)
{
    return a->d.pid ? daemon_stop(&a->d, a->m->stop_grace_ms, e) : 0;
}

/* Goes back to what ran before. When that fails too, the container has to start anew. */
static void go_back(struct agent *a, struct plan *p, const struct err *why)
{
    struct err e;
    swap_in(a, p);
    if (!a->d.stopping)
        reject(a, p->tree, why->msg);
    if (a->d.stopping || (stop_daemon(a, &e) == 0 && agent_launch(a, &e) == 0)) {
        agent_say(a, STATE_STARTING, HEALTH_UNKNOWN, "back to the last configuration");
        agent_save(a);
        return;
    }
    log_error("the last configuration does not start either: %s", e.msg);
    agent_say(a, STATE_FAILED, HEALTH_UNKNOWN, e.msg);
    daemon_exit(&a->d, err_exit_status(e.code));
}

static void restart(struct agent *a, struct plan *p)
{
    struct err e;
    auto_free char *names = strv_join(&p->changes.names, " ");
    auto_free char *reason = mem_printf("restarted for: %s", names);
    log_info("restarting the daemon for: %s", names);
    agent_say(a, STATE_STARTING, HEALTH_UNKNOWN, reason);
    if (stop_daemon(a, &e) < 0) {
        reject(a, p->tree, e.msg);
        return;
    }
    swap_in(a, p);
    a->status.restarts++;
    if (agent_launch(a, &e) < 0) {
        go_back(a, p, &e);
        return;
    }
    a->rejected = false;
    agent_save(a);
    agent_say(a, STATE_STARTING, HEALTH_UNKNOWN, NULL);
}

static bool needs_turn(const struct agent *a)
{
    return a->link && !a->link->file && a->m->update && strcmp(a->m->update, "one_by_one") == 0 &&
           agent_has_daemon(a);
}

static void wait_for_turn(struct agent *a, struct plan *p)
{
    struct strv auto_strv pending = {0};
    for (size_t i = 0; i < p->changes.names.count; i++)
        strv_addf(&pending, "%s needs restart", p->changes.names.items[i]);
    struct agent_ack ack = {.tree = a->tree, .pending = &pending};
    agent_acknowledge(a, &ack);
    tree_free(a->waiting);
    a->waiting = steal(p->tree);
    a->turn_at = 0;
}

void agent_try_turn(struct agent *a)
{
    struct err e;
    if (!a->waiting || !clock_passed(a->turn_at))
        return;
    struct turn_who who = {a->link, a->tree->env, a->tree->component, a->tree->instance};
    if (!turn_is_taken(&a->turn) && turn_take(&a->turn, &who, &e) < 0) {
        a->turn_at = clock_deadline(e.code == ERR_LOCKED ? TURN_AGAIN_MS : TURN_AWAY_MS);
        err_drop(&e, "waiting for the turn to restart");
        return;
    }
    agent_change(a, steal(a->waiting));
    if (a->ready) /* nothing was restarted after all */
        turn_release(&a->turn);
}

/* ---- any
 * ------------------------------------------------------------------------------------------- */

void agent_change(struct agent *a, struct tree *t)
{
    struct plan p;
    struct err e;
    tree_free(steal(a->waiting)); /* the newer keys hold its change too */
    t->clear_secrets = a->tree->clear_secrets;
    if (plan_build(&p, a, t, &e) < 0) {
        reject(a, t, e.msg);
    } else if (!p.changes.effective) {
        bool news = p.changes.any || a->status.from_snapshot != !t->from_etcd || a->rejected ||
                    a->tree->revision != t->revision;
        swap_in(a, &p);
        if (news && a->ready && !a->changed.count)
            acknowledge_now(a);
        if (news)
            agent_say(a, a->status.state, a->status.health, NULL);
    } else if (p.changes.kind != APPLY_KIND_RESTART) {
        apply_now(a, &p);
    } else if (needs_turn(a) && !turn_is_taken(&a->turn)) {
        wait_for_turn(a, &p);
    } else {
        restart(a, &p);
    }
    plan_clear(&p);
}

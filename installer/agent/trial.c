/* SPDX-License-Identifier: MIT */
#include "agent/trial.h"

#include <string.h>

#include "agent/agent.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { PROVEN_MS = 5000, MOMENT_MS = 1000 };

static void save_refusal(struct agent *a)
{
    auto_free char *path = keep_path(a->o, a->m, KEEP_REFUSAL);
    struct err e;

    if (agent_has_etcd(a) && keep_make(a->o, a->m, &e) == 0 &&
        keep_refusal_save(&a->trial.refusal, path, &e) < 0)
        log_warn("%s", e.msg);
}

/* Puts the tree that worked in effect, with its values. */
static int use_good(struct agent *a, struct err *e)
{
    struct config *c = NULL;

    if (config_build(&c, a->m, a->trial.good, a->o, e) < 0)
        return err_wrap(e, "the last configuration that worked");
    config_free(a->config);
    tree_free(a->tree);
    a->config = c;
    a->tree = tree_copy(a->trial.good);
    a->tree->clear_secrets = !agent_has_etcd(a);
    a->trial.on = false;
    a->trial.back = a->rejected = true;
    return 0;
}

/* ---- the start ---- */

static struct tree *load_good(struct agent *a)
{
    auto_free char *path = keep_path(a->o, a->m, KEEP_SNAPSHOT);
    struct tree *t = NULL;
    struct err e;

    if (tree_load(&t, path, a->m->name, &e) < 0) {
        err_drop(&e, "the last configuration that worked");
        return NULL;
    }
    if (strcmp(t->prefix, a->tree->prefix) != 0)
        tree_free(steal(t));
    return t;
}

static bool differs(struct agent *a, const struct tree *good, struct config **config)
{
    struct config_diff changes;
    bool effective;
    struct err e;

    if (config_build(config, a->m, good, a->o, &e) < 0) {
        err_drop(&e, "the last configuration that worked");
        return false;
    }
    config_compare(&changes, a->m, (struct config_version){good, *config},
                   (struct config_version){a->tree, a->config});
    effective = changes.effective;
    config_diff_clear(&changes);
    return effective;
}

void trial_open(struct agent *a)
{
    auto_free char *path = keep_path(a->o, a->m, KEEP_REFUSAL);
    auto_config struct config *config = NULL;
    auto_tree struct tree *good = agent_has_etcd(a) ? load_good(a) : NULL;
    struct err e;

    if (!good || !a->tree->from_etcd || !differs(a, good, &config))
        return;
    keep_refusal_load(&a->trial.refusal, path);
    a->trial.good = steal(good);
    a->trial.on = true;
    a->trial.proven_at = CLOCK_NEVER;
    if (!trial_refuses(a, (struct config_version){a->tree, a->config}))
        keep_refusal_clear(&a->trial.refusal);
    else if (use_good(a, &e) < 0)
        log_warn("%s", e.msg);
}

/* ---- the trial ---- */

void trial_begin(struct agent *a)
{
    /* It worked until now, if only for a moment. */
    if (a->ready && (!a->trial.on || clock_passed(a->trial.moment_at))) {
        trial_prove(a);
        tree_free(a->trial.good);
        a->trial.good = tree_copy(a->tree);
    }
    a->trial.on = a->trial.good != NULL;
    a->trial.ends = 0;
    a->trial.proven_at = CLOCK_NEVER;
}

void trial_watch(struct agent *a)
{
    a->trial.proven_at = clock_deadline(PROVEN_MS);
}

void trial_ready(struct agent *a)
{
    trial_watch(a);
    a->trial.moment_at = clock_deadline(MOMENT_MS);
    if (!a->trial.on && !a->trial.back)
        agent_save(a);
    if (a->trial.back) /* it was the configuration, nothing else */
        save_refusal(a);
}

void trial_prove(struct agent *a)
{
    if (!a->trial.on || !a->ready)
        return;
    a->trial.on = false;
    agent_save(a);
}

bool trial_refuses(struct agent *a, struct config_version s)
{
    if (!keep_is_refused(&a->trial.refusal, a->m, s))
        return false;
    log_error("this configuration did not work: %s", a->trial.refusal.error);
    struct agent_ack ack = {.tree = s.tree, .error = a->trial.refusal.error};
    agent_acknowledge(a, &ack);
    return true;
}

void trial_forget(struct agent *a)
{
    a->trial.back = false;
    if (!a->trial.refusal.error)
        return;
    keep_refusal_clear(&a->trial.refusal);
    save_refusal(a);
}

static void refuse(struct agent *a, const char *why)
{
    struct keep_refusal *r = &a->trial.refusal;
    auto_config struct config *works = NULL;
    struct err e;

    keep_refusal_clear(r);
    r->error = mem_printf("%s; the last configuration that worked is in effect", why);
    if (config_build(&works, a->m, a->trial.good, a->o, &e) < 0)
        err_drop(&e, "the last configuration that worked");
    else
        keep_refuse(r, a->m, (struct config_version){a->tree, a->config},
                    (struct config_version){a->trial.good, works});
    log_error("the new configuration is not brought into effect: %s", why);
    struct agent_ack ack = {.tree = a->tree, .error = r->error};
    agent_acknowledge(a, &ack);
}

int trial_go_back(struct agent *a, struct err *why)
{
    struct err e;

    if (!a->trial.on)
        return -1;
    if (!a->d.stopping)
        refuse(a, why->msg);
    if (use_good(a, &e) == 0 &&
        (a->d.stopping ||
         (daemon_stop(&a->d, a->m->stop_grace_ms, &e) == 0 && agent_launch(a, &e) == 0))) {
        agent_say(a, STATE_STARTING, HEALTH_UNKNOWN, "back to the last configuration");
        agent_save(a);
        return 0;
    }
    log_error("the last configuration does not start either: %s", e.msg);
    return err_set(why, e.code, "%s", e.msg);
}

bool trial_goes_on(struct agent *a)
{
    auto_free char *text = daemon_end_text(&a->d);
    struct err e;

    if (!a->trial.on || a->d.stopping)
        return false;
    /* Once may be an accident. */
    if (a->trial.ends++ == 0) {
        log_warn("the daemon ended with status %d; it is started once more", a->d.status);
        if (daemon_stop(&a->d, a->m->stop_grace_ms, &e) == 0 && agent_launch(a, &e) == 0)
            return true;
    } else {
        err_set(&e, ERR_REMOTE, "%s", text);
    }
    return trial_go_back(a, &e) == 0;
}

void trial_clear(struct agent *a)
{
    tree_free(a->trial.good);
    keep_refusal_clear(&a->trial.refusal);
}

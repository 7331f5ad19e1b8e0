/* SPDX-License-Identifier: MIT */
#include "agent/agent.h"

#include <string.h>

#include "agent/bootstrap.h"
#include "agent/sshd.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "agent/hook_env.h"

enum { SLOW_START_MS = 500 };

/* An earlier agent left the daemon running, with the tree it had in effect beside it. */
static bool take_over(struct agent *a)
{
    struct err e;

    if (!a->d.pid)
        return false;
    auto_free char *path = fs_join(a->o->run_dir, "snapshot.json");
    auto_tree struct tree *t = NULL;
    if (tree_load(&t, path, a->m->name, &e) < 0) {
        err_drop(&e, "what the running daemon was started with");
        return false;
    }
    t->clear_secrets = !agent_has_etcd(a);
    if (config_build(&a->config, a->m, t, a->o, &e) < 0) {
        log_warn("the configuration of the running daemon: %s", e.msg);
        return false;
    }
    a->tree = steal(t);
    return true;
}

/*
 * An empty volume where etcd says that there was data is never taken for a first start: a new
 * cluster beside the old one's other parts, a new database instead of the old. What can make its
 * data again says so in its manifest, and its hook prepare decides.
 */
static int judge_data(struct agent *a, bool had_data, struct err *e)
{
    auto_free char *mark = keep_path(a->o, a->m, KEEP_LOST);
    auto_free char *kept = keep_path(a->o, a->m, KEEP_SNAPSHOT);
    const char *env = a->tree->env, *instance = a->tree->instance;

    a->had_data = a->m->data_root && (had_data || fs_exists(kept));
    a->data_lost = fs_exists(mark) || (had_data && keep_data_is_empty(a->o, a->m));
    if (!a->data_lost)
        return 0;
    if (!a->m->data_rebuilds)
        return err_set(e, ERR_CONFIG,
                       "the data of %s is gone: its volume is empty, and it was not before. Put it "
                       "back from a backup, or begin without it: `slipway -e %s remove --force "
                       "--volumes %s`, then `slipway -e %s up`",
                       instance, env, instance, env);
    log_warn("the data of %s is gone; hook prepare is asked to make it again", instance);
    if (keep_make(a->o, a->m, e) < 0)
        return -1;
    return fs_write(mark, "", 0,
                    &(struct fs_write_opts){.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1}, e);
}

static int find_source(struct agent *a, struct err *e)
{
    struct bootstrap first;
    struct bootstrap_opts o = {
        .options = a->o, .manifest = a->m, .link = a->link, .idle = agent_idle, .arg = a};

    if (bootstrap_open(&first, &o, e) < 0)
        return -1;
    a->tree = first.tree;
    a->client = first.client;
    a->store_revision = first.revision;
    log_context("instance", a->tree->instance);
    if (judge_data(a, first.had_data, e) < 0)
        return -1;
    return config_build(&a->config, a->m, a->tree, a->o, e);
}

static void adopt(struct agent *a)
{
    struct err e;

    log_info("taking over the running daemon, process %d", a->d.pid);
    a->ready = status_load_state(a->o->run_dir) == STATE_READY;
    a->ready_by = clock_deadline(a->m->ready_deadline_ms);
    auto_free char *kept = keep_path(a->o, a->m, KEEP_SNAPSHOT);
    a->had_data = a->m->data_root && (a->ready || fs_exists(kept));
    if (!a->ready)
        strv_add(&a->changed, "all");
    if (hook_env_save(&a->config->env, a->o->run_dir, &e) < 0)
        err_drop(&e, "environment of the hooks");
    if (sshd_is_wanted(a->tree) && !a->d.sshd && daemon_run_sshd(&a->d, a->config, &e) < 0)
        log_warn("%s", e.msg);
    agent_say(a, a->ready ? STATE_READY : STATE_STARTING, HEALTH_UNKNOWN, "");
    if (a->ready) {
        struct agent_ack ack = {.tree = a->tree};

        agent_acknowledge(a, &ack);
    }
}

int agent_start(struct agent *a, struct err *e)
{
    auto_free char *end_path = keep_path(a->o, a->m, KEEP_END);

    if (fs_mkdirs(a->o->run_dir, 0755, e) < 0)
        return -1;
    if (agent_has_etcd(a) && !*a->link->prefix)
        return err_set(e, ERR_USAGE,
                       "the link names no prefix: etcds://...HOST/slipway/ENV/instances/NAME");
    auto_free char *line = NULL;
    a->was_unwell = status_check(&line, a->o->run_dir) != 0;
    status_find_release(&a->status);
    a->connect_at = clock_deadline(SLOW_START_MS);
    log_field("component", a->m->name);
    if (take_over(a)) {
        a->status.from_snapshot = agent_has_etcd(a);
        adopt(a);
        agent_connect(a);
        return 0;
    }
    if (find_source(a, e) < 0)
        return -1;
    a->status.from_snapshot = !a->tree->from_etcd;
    if (a->d.pid) { /* a daemon without a known configuration: a fresh start is all that is safe */
        log_warn("the running daemon is started again: what it runs with is not known");
        if (daemon_stop(&a->d, a->m->stop_grace_ms, e) < 0)
            return -1;
    }
    keep_end_load(&a->end, end_path);
    a->status.ended = a->end.text;
    a->status.ended_ms = a->end.at_ms;
    agent_say(a, STATE_STARTING, HEALTH_UNKNOWN, a->end.text ? a->end.text : "");
    trial_open(a);
    if (agent_launch(a, e) < 0 && trial_go_back(a, e) < 0)
        return -1;
    agent_connect(a);
    agent_save(a);
    return 0;
}

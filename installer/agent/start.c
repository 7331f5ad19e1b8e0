/* SPDX-License-Identifier: MIT */
#include "agent/agent.h"

#include <string.h>

#include "agent/files.h"
#include "agent/source.h"
#include "agent/sshd.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "agent/hook_env.h"

enum { SLOW_START_MS = 500 };

static bool has_etcd(const struct agent *a)
{
    return a->link && !a->link->file;
}

static int must_hook(struct agent *a, const char *name, struct err *e)
{
    struct hook_call call;
    auto_free char *path = NULL;
    if (!agent_hook(&call, &path, a, name))
        return 0;
    return hook_must(&call, e);
}

static int run_once(struct agent *a, struct err *e)
{
    struct hook_call call;
    auto_free char *path = NULL;
    if (!agent_hook(&call, &path, a, "once"))
        return 0;
    /* From a snapshot it has run: a configuration was in effect before. A file has one instance. */
    if (!has_etcd(a) || !a->tree->from_etcd)
        return has_etcd(a) ? 0 : hook_must(&call, e);
    struct turn_who who = {a->link, a->tree->env, a->tree->component, a->tree->instance};
    return once_run(&who, &call, e);
}

int agent_launch(struct agent *a, struct err *e)
{
    auto_files struct files *files = NULL;
    struct files_source source = {.manifest = a->m,
                                  .tree = a->tree,
                                  .config = a->config,
                                  .password = a->link ? a->link->password : NULL};
    if (files_build(&files, &source, e) < 0 || files_write(files, e) < 0)
        return -1;
    if (hook_env_save(&a->config->env, a->o->run_dir, e) < 0)
        return -1;
    if (must_hook(a, "prepare", e) < 0 || run_once(a, e) < 0)
        return -1;
    char tag[65];
    tree_hash(tag, a->tree);
    struct daemon_run run = {.manifest = a->m, .config = a->config, .tag = tag};
    if (agent_has_daemon(a) && daemon_run(&a->d, &run, e) < 0)
        return -1;
    if (sshd_is_wanted(a->tree) && !a->d.sshd && daemon_run_sshd(&a->d, a->config, e) < 0)
        return -1;
    a->ready = a->late = false;
    a->ready_at = 0;
    a->ready_by = clock_deadline(a->m->ready_deadline_ms);
    strv_clear(&a->changed);
    strv_add(&a->changed, "all");
    a->apply_at = 0;
    return 0;
}

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
    t->clear_secrets = !has_etcd(a);
    if (config_build(&a->config, a->m, t, a->o, &e) < 0) {
        log_warn("the configuration of the running daemon: %s", e.msg);
        return false;
    }
    a->tree = steal(t);
    return true;
}

static int find_source(struct agent *a, struct err *e)
{
    struct source source;
    struct source_opts o = {
        .options = a->o, .manifest = a->m, .link = a->link, .idle = agent_idle, .arg = a};
    if (source_open(&source, &o, e) < 0)
        return -1;
    a->tree = source.tree;
    a->client = source.client;
    a->store_revision = source.revision;
    return config_build(&a->config, a->m, a->tree, a->o, e);
}

static void adopt(struct agent *a)
{
    struct err e;
    log_info("taking over the running daemon, process %d", a->d.pid);
    a->ready = status_load_state(a->o->run_dir) == STATE_READY;
    a->ready_by = clock_deadline(a->m->ready_deadline_ms);
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
    if (fs_mkdirs(a->o->run_dir, 0755, e) < 0)
        return -1;
    if (has_etcd(a) && !*a->link->prefix)
        return err_set(e, ERR_USAGE,
                       "the link names no prefix: etcds://...HOST/slipway/ENV/instances/NAME");
    a->connect_at = clock_deadline(SLOW_START_MS);
    log_field("component", a->m->name);
    if (take_over(a)) {
        a->status.from_snapshot = has_etcd(a);
        adopt(a);
        agent_connect(a);
        return 0;
    }
    if (find_source(a, e) < 0)
        return -1;
    log_context("instance", a->tree->instance);
    a->status.from_snapshot = !a->tree->from_etcd;
    if (a->d.pid) { /* a daemon without a known configuration: a fresh start is all that is safe */
        log_warn("the running daemon is started again: what it runs with is not known");
        if (daemon_stop(&a->d, a->m->stop_grace_ms, e) < 0)
            return -1;
    }
    agent_say(a, STATE_STARTING, HEALTH_UNKNOWN, "");
    if (agent_launch(a, e) < 0)
        return -1;
    agent_connect(a);
    agent_save(a);
    return 0;
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

/* SPDX-License-Identifier: MIT */
#include "agent/agent.h"

#include "agent/files.h"
#include "agent/hook_env.h"
#include "agent/sshd.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"

bool agent_has_daemon(const struct agent *a)
{
    return a->config->argv.count > 0;
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

static int run_prepare(struct agent *a, struct err *e)
{
    struct hook_call call;
    auto_free char *path = NULL;

    if (!agent_hook(&call, &path, a, "prepare"))
        return 0;
    call.data_lost = a->data_lost;
    return hook_must(&call, e);
}

/* Beside the data, because etcd may lose its own. */
static int remember_once(const struct agent *a, const char *mark, struct err *e)
{
    if (keep_make(a->o, a->m, e) < 0)
        return -1;
    return fs_write(mark, "", 0,
                    &(struct fs_write_opts){.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1}, e);
}

static int run_once(struct agent *a, struct err *e)
{
    struct hook_call call;
    auto_free char *path = NULL;

    if (!agent_hook(&call, &path, a, "once"))
        return 0;
    /* From a snapshot it has run: a configuration was in effect before. A file has one instance. */
    if (!agent_has_etcd(a) || !a->tree->from_etcd)
        return agent_has_etcd(a) ? 0 : hook_must(&call, e);
    struct slot_owner who = {a->link, a->tree->env, a->tree->component, a->tree->instance};
    auto_free char *mark = keep_path(a->o, a->m, KEEP_ONCE);
    bool known = a->m->data_root && fs_exists(mark);
    struct err later;

    if (once_run(&who, &call, known, e) < 0)
        return -1;
    if (!known && a->m->data_root && remember_once(a, mark, &later) < 0)
        err_drop(&later, "only etcd knows that hook once has run");
    return 0;
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
    if (run_prepare(a, e) < 0 || run_once(a, e) < 0)
        return -1;
    char tag[65];
    tree_hash(tag, a->tree);
    struct daemon_run run = {.manifest = a->m, .config = a->config, .tag = tag};
    if (agent_has_daemon(a) && daemon_run(&a->d, &run, e) < 0)
        return -1;
    if (sshd_is_wanted(a->tree) && !a->d.sshd && daemon_run_sshd(&a->d, a->config, e) < 0)
        return -1;
    a->launched_at = clock_now_ms();
    a->trial.proven_at = CLOCK_NEVER;
    a->ready = a->late = false;
    a->ready_at = 0;
    a->ready_by = clock_deadline(a->m->ready_deadline_ms);
    strv_clear(&a->changed);
    strv_add(&a->changed, "all");
    a->apply_at = 0;
    return 0;
}

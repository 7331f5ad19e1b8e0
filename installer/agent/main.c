/* SPDX-License-Identifier: MIT */
/* slipway-agent: the child of slipway-init that turns the keys behind a link into a running,
 * watched daemon. components/README.md says what it promises. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/hook_env.h"
#include "agent/keys_command.h"
#include "agent/link_input.h"
#include "agent/release_command.h"
#include "agent/rules_command.h"
#include "base/clock.h"
#include "base/confine.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/sig.h"
#include "crypto/crypto.h"

enum { FAILURE_FLUSH_MS = 2000, STOPPED = 143 };

static enum log_level wanted_level(void)
{
    const char *text = getenv("SLIPWAY_LOG");

    if (text && strcmp(text, "debug") == 0)
        return LOG_LEVEL_DEBUG;
    if (text && strcmp(text, "warn") == 0)
        return LOG_LEVEL_WARN;
    return LOG_LEVEL_INFO;
}

static enum log_format wanted_format(void)
{
    const char *text = getenv("SLIPWAY_LOG_FORMAT");

    return text && strcmp(text, "json") == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
}

static struct manifest *load_manifest(const char *dir, struct err *e)
{
    struct problems p;

    problems_init(&p, dir);
    struct manifest *m = manifest_load(dir, &p);
    if (!m && problems_result(&p, e) == 0)
        err_set(e, ERR_CONFIG, "component %s", dir);
    problems_clear(&p);
    return m;
}

static void agent_clear(struct agent *a)
{
    etcd_close(a->client);
    tree_free(a->tree);
    tree_free(a->waiting);
    config_free(a->config);
    restart_slot_release(&a->slot);
    trial_clear(a);
    keep_end_clear(&a->end);
    status_clear(&a->status);
    strv_clear(&a->changed);
    daemon_close(&a->d);
    link_free(a->link);
    manifest_free(a->m);
}

static int prepare_agent(struct agent *a, struct err *e)
{
    if (daemon_open(&a->d, e) < 0 || crypto_check(e) < 0)
        return -1;
    a->m = load_manifest(a->o->component_dir, e);
    if (!a->m || options_link(&a->link, a->o, e) < 0)
        return -1;
    link_input_close();
    if (a->link && a->link->password)
        log_redact(a->link->password);
    mem_wipe_str(steal(a->o->link));
    return agent_start(a, e);
}

static int run(struct options *o)
{
    struct err e;
    struct agent a = {.o = o,
                      .d = {.fd = -1},
                      .connect_at = CLOCK_NEVER,
                      .save_at = CLOCK_NEVER,
                      .trim_at = CLOCK_NEVER};
    int status;

    if (prepare_agent(&a, &e) == 0) {
        status = agent_loop(&a);
    } else {
        status = e.code == ERR_INTERRUPTED ? STOPPED
                 : a.d.ended               ? a.d.status
                                           : err_exit_status(e.code);
        if (e.code != ERR_INTERRUPTED)
            log_error("%s", e.msg);
        agent_report_failure(&a, &e);
        a.cut_off = !uplink_stop(steal(a.uplink), FAILURE_FLUSH_MS);
        if (a.d.fd >= 0)
            daemon_exit(&a.d, status);
    }
    if (a.cut_off)
        _exit(status);
    agent_clear(&a);
    return status;
}

static int run_hook(const struct options *o, struct err *e)
{
    auto_strv struct strv env = {0};
    struct manifest *m = load_manifest(o->component_dir, e);

    if (!m)
        return -1;
    auto_free char *path = manifest_hook(m, o->hook);
    int64_t deadline = clock_deadline(m->hook_deadline_ms);
    /* Whoever asks, to drain or to check, asks every component: one without the hook has nothing to
     * do. */
    if (!path)
        fprintf(stderr, "slipway-agent: component %s has no hook %s\n", m->name, o->hook);
    manifest_free(m);
    if (!path)
        return 0;
    if (hook_env_load(&env, o->run_dir, e) < 0)
        return -1;
    auto_strv struct strv argv = {0};
    strv_add(&argv, path);
    for (size_t i = 0; i < o->rest.count; i++)
        strv_add(&argv, o->rest.items[i]);
    int status = 1;
    struct proc_opts p = {.argv = (const char *const *)argv.items,
                          .env = (const char *const *)env.items,
                          .inherit_in = true, /* whose end says that nobody waits for it */
                          .deadline = deadline};
    if (proc_run(&status, &p, e) < 0)
        return -1;
    return status;
}

static int dispatch(struct options *o, struct err *e)
{
    char *line = NULL;
    int status;

    switch (o->command) {
    case COMMAND_VERSION:
        printf("slipway-agent %s\n", SLIPWAY_VERSION);
        return 0;
    case COMMAND_HEALTH:
        status = status_check(&line, o->run_dir);
        printf("%s\n", line);
        free(line);
        return status;
    case COMMAND_HOOK:
        return run_hook(o, e);
    case COMMAND_KEYS:
        return keys_command(o, e);
    case COMMAND_RULES:
        return rules_command(e);
    case COMMAND_RELEASE:
        return release_command(o, e);
    case COMMAND_RUN:
        return run(o);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options o;
    struct err e;

    (void)argc;
    fs_open_standard();
    /* Started by `docker exec` it has every capability of the container; init's own has none of
     * these. */
    if (getenv(CONFINE_FOLDER_ENV) && confine_can_mount() && confine() < 0)
        return EXIT_FAILURE;
    /* One arena, and memory back to the system early: this process waits nearly all of its life. */
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TRIM_THRESHOLD, 64 << 10);
    mallopt(M_MMAP_THRESHOLD, 64 << 10);
    mallopt(M_TOP_PAD, 8 << 10);
    log_setup("slipway-agent", wanted_level(), wanted_format());
    sig_setup();
    int status = options_parse(&o, (const char *const *)argv, &e);
    if (status == 0)
        status = dispatch(&o, &e);
    if (status < 0) {
        log_error("%s", e.msg);
        status = err_exit_status(e.code);
    }
    options_clear(&o);
    return status;
}

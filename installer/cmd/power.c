/* SPDX-License-Identifier: MIT */
/* start, stop, restart: what an operator does to single instances. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/sig.h"
#include "cmd/cmd.h"
#include "cmd/instances.h"
#include "engine/images.h"

enum { PARALLEL = 4, READY_MS = 60000, POLL_MS = 300, LINE_MAX_LEN = 4096 };

enum power_verb { POWER_START, POWER_STOP, POWER_RESTART };

struct power_options {
    int64_t grace_ms;
    bool all, force, no_wait;
};

static const struct opt_spec start_options[] = {
    {"all", 'a', OPT_FLAG, NULL, "every instance", offsetof(struct power_options, all)},
    {"no-wait", 0, OPT_FLAG, NULL, "do not wait until they are ready",
     offsetof(struct power_options, no_wait)},
    {0},
};

/* Those of `stop`, with one more in front. */
static const struct opt_spec restart_options[] = {
    {"no-wait", 0, OPT_FLAG, NULL, "do not wait until each is ready",
     offsetof(struct power_options, no_wait)},
    {"all", 'a', OPT_FLAG, NULL, "every instance", offsetof(struct power_options, all)},
    {"grace", 'g', OPT_DURATION, "TIME",
     "kill after this time (default: as the component's manifest says)",
     offsetof(struct power_options, grace_ms)},
    {"force", 0, OPT_FLAG, NULL, "kill at once, without any grace",
     offsetof(struct power_options, force)},
    {0},
};

struct power {
    struct cmd_context *x;
    const struct power_options *o;
    enum power_verb verb;
    bool waiting; /* what was started is waited for, all of it at once */
    int64_t began;
    struct strv names;
    struct err *errors; /* one per name; code ERR_NONE: done */
};

/* The container was made with the grace of its manifest; it is asked for because the API's default
 * is another one. */
static int grace_of(const struct power *p, struct engine *g, const char *id, int *grace_s,
                    struct err *e)
{
    auto_node struct node *inspect = NULL;

    *grace_s = 0;
    if (p->o->force)
        return 0;
    if (p->o->grace_ms > 0) {
        *grace_s = (int)((p->o->grace_ms + 999) / 1000);
        return 0;
    }
    if (engine_container_inspect(&inspect, g, id, e) < 0)
        return -1;
    *grace_s = (int)node_get_int(node_get(inspect, "Config"), "StopTimeout", 10);
    return 0;
}

/* The agent's own word, because it needs no etcd: that may be what is started. */
static int wait_ready(const struct power *p, struct engine *g, const char *id, struct err *e)
{
    static const char *const argv[] = {IMAGES_AGENT, "health", NULL};
    int64_t deadline = cmd_deadline(p->x, READY_MS);
    auto_buf struct buf said = {0};
    struct engine_exec exec = {.argv = argv, .out = &said, .deadline = deadline};
    int status = -1;

    buf_init(&said, LINE_MAX_LEN);
    for (;;) {
        struct err none;

        buf_reset(&said);
        if (engine_exec_run(&status, g, id, &exec, &none) == 0 && status == 0)
            return 0;
        if (sig_interrupts())
            return err_set(e, ERR_INTERRUPTED, "it runs, whether it is ready was not waited for");
        if (clock_passed(deadline))
            break;
        clock_sleep_ms(POLL_MS);
    }
    return err_set(e, ERR_UNHEALTHY, "it was started and is not ready: %.*s; see `slipway logs`",
                   (int)strcspn(buf_str(&said), "\n"), buf_str(&said));
}

static int act(const struct power *p, size_t i, struct err *e)
{
    struct engine *g = NULL;
    const char *id;
    int grace_s, r;

    if (instances_container(&id, p->x, p->names.items[i], e) < 0 ||
        engine_clone(&g, p->x->engine, e) < 0)
        return -1;
    if (p->waiting) {
        r = wait_ready(p, g, id, e);
        engine_close(g);
        return r;
    }
    r = p->verb == POWER_START ? 0 : grace_of(p, g, id, &grace_s, e);
    if (r == 0 && p->verb == POWER_START)
        r = engine_container_start(g, id, e);
    else if (r == 0 && p->verb == POWER_STOP)
        r = engine_container_stop(g, id, grace_s, e);
    else if (r == 0)
        r = engine_container_restart(g, id, grace_s, e);
    if (r == 0 && p->verb == POWER_RESTART && !p->o->no_wait)
        r = wait_ready(p, g, id, e);
    engine_close(g);
    return r;
}

/* One restart after the other: with one that does not get ready the next might be one too many. */
static bool has_failed(const struct power *p)
{
    for (size_t i = 0; i < p->names.count; i++)
        if (p->errors[i].code != ERR_NONE)
            return true;
    return false;
}

static void job(void *arg, size_t i)
{
    static const char *const done[] = {"started", "stopped", "restarted"};
    struct power *p = arg;
    int64_t began = p->waiting ? p->began : clock_now_ms();
    bool more = p->verb == POWER_START && !p->waiting && !p->o->no_wait;

    if (p->errors[i].code != ERR_NONE)
        return;
    if (sig_interrupts() > 0 || (p->verb == POWER_RESTART && has_failed(p))) {
        err_set(&p->errors[i], ERR_INTERRUPTED, "%s was left alone", p->names.items[i]);
        return;
    }
    if (act(p, i, &p->errors[i]) < 0)
        err_wrap(&p->errors[i], "%s", p->names.items[i]);
    else if (!more && !p->x->quiet && !p->x->json)
        printf("%s %s (%.1f s)\n", p->names.items[i], done[p->verb],
               (double)(clock_now_ms() - began) / 1000.0);
}

static int result(const struct power *p, struct err *e)
{
    size_t failed = 0;

    for (size_t i = 0; i < p->names.count; i++) {
        if (p->errors[i].code == ERR_NONE)
            continue;
        if (failed++ == 0)
            *e = p->errors[i];
    }
    if (failed == 0)
        return 0;
    if (failed < p->names.count)
        e->code = ERR_PARTIAL;
    return failed > 1 ? err_wrap(e, "%zu of %zu instances failed, first", failed, p->names.count)
                      : -1;
}

static int power(struct cmd_context *x, enum power_verb verb, const struct power_options *o,
                 const struct strv *operands, struct err *e)
{
    struct power p = {.x = x, .o = o, .verb = verb, .began = clock_now_ms()};
    int r;

    if (operands->count == 0 && !o->all)
        return err_set(e, ERR_USAGE, "name instances or components, or use --all");
    r = instances_select(&p.names, x, operands, 0, e);
    if (r == 0) {
        p.errors = mem_array(p.names.count, sizeof(*p.errors));
        /* Restarts come one by one, so that what is replicated stays available. */
        pool_run(p.names.count, verb == POWER_RESTART ? 1 : PARALLEL, job, &p);
        p.waiting = verb == POWER_START && !o->no_wait;
        if (p.waiting)
            pool_run(p.names.count, (unsigned)p.names.count, job, &p);
        r = result(&p, e);
        free(p.errors);
    }
    strv_clear(&p.names);
    return r;
}

static int run_start(struct cmd_context *x, void *o, const struct strv *operands, struct err *e)
{
    return power(x, POWER_START, o, operands, e);
}

static int run_stop(struct cmd_context *x, void *o, const struct strv *operands, struct err *e)
{
    return power(x, POWER_STOP, o, operands, e);
}

static int run_restart(struct cmd_context *x, void *o, const struct strv *operands, struct err *e)
{
    return power(x, POWER_RESTART, o, operands, e);
}

const struct cmd cmd_start = {
    .help = {.name = "start",
             .summary = "start stopped instances",
             .args = "INSTANCE|COMPONENT ...",
             .details = "Ends when they are ready, or after a minute (--timeout) with status 5.",
             .options = start_options,
             .group = "Instances"},
    .options_size = sizeof(struct power_options),
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_CONTAINERS,
    .max_operands = -1,
    .run = run_start,
};

const struct cmd cmd_stop = {
    .help = {.name = "stop",
             .summary = "stop instances; their containers and data stay",
             .args = "INSTANCE|COMPONENT ...",
             .options = restart_options + 1, /* all but the first row */
             .group = "Instances"},
    .options_size = sizeof(struct power_options),
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_CONTAINERS,
    .max_operands = -1,
    .run = run_stop,
};

const struct cmd cmd_restart = {
    .help = {.name = "restart",
             .summary = "restart instances, one after the other",
             .args = "INSTANCE|COMPONENT ...",
             .details =
                 "Each is ready before the next one is restarted, so that what is replicated "
                 "stays available. One that is not ready after a minute (--timeout) ends it.",
             .options = restart_options,
             .group = "Instances"},
    .options_size = sizeof(struct power_options),
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_CONTAINERS,
    .max_operands = -1,
    .run = run_restart,
};

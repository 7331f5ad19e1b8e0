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

enum { PARALLEL = 4 };

enum power_verb { POWER_START, POWER_STOP, POWER_RESTART };

struct power_options {
    int64_t grace_ms;
    bool all, force;
};

static const struct opt_spec start_options[] = {
    {"all", 'a', OPT_FLAG, NULL, "every instance", offsetof(struct power_options, all)},
    {0},
};

static const struct opt_spec stop_options[] = {
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

static int act(const struct power *p, size_t i, struct err *e)
{
    struct engine *g = NULL;
    const char *id;
    int grace_s, r;

    if (instances_container(&id, p->x, p->names.items[i], e) < 0 ||
        engine_clone(&g, p->x->engine, e) < 0)
        return -1;
    r = p->verb == POWER_START ? 0 : grace_of(p, g, id, &grace_s, e);
    if (r == 0 && p->verb == POWER_START)
        r = engine_container_start(g, id, e);
    else if (r == 0 && p->verb == POWER_STOP)
        r = engine_container_stop(g, id, grace_s, e);
    else if (r == 0)
        r = engine_container_restart(g, id, grace_s, e);
    engine_close(g);
    return r;
}

static void job(void *arg, size_t i)
{
    static const char *const done[] = {"started", "stopped", "restarted"};
    struct power *p = arg;
    int64_t began = clock_now_ms();

    if (sig_interrupts() > 0) {
        err_set(&p->errors[i], ERR_INTERRUPTED, "%s was left alone", p->names.items[i]);
        return;
    }
    if (act(p, i, &p->errors[i]) < 0)
        err_wrap(&p->errors[i], "%s", p->names.items[i]);
    else if (!p->x->quiet && !p->x->json)
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
    struct power p = {.x = x, .o = o, .verb = verb};
    int r;

    if (operands->count == 0 && !o->all)
        return err_set(e, ERR_USAGE, "name instances or components, or use --all");
    r = instances_select(&p.names, x, operands, 0, e);
    if (r == 0) {
        p.errors = mem_array(p.names.count, sizeof(*p.errors));
        /* Restarts come one by one, so that what is replicated stays available. */
        pool_run(p.names.count, verb == POWER_RESTART ? 1 : PARALLEL, job, &p);
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
             .options = stop_options,
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
             .options = stop_options,
             .group = "Instances"},
    .options_size = sizeof(struct power_options),
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_CONTAINERS,
    .max_operands = -1,
    .run = run_restart,
};

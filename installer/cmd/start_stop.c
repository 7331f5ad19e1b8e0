/* SPDX-License-Identifier: MIT */
/* start, stop, restart: what an operator does to single instances. */
#include <stdio.h>

#include "base/mem.h"
#include "cmd/out.h"
#include "env/held.h"
#include "env/instances.h"

struct start_stop_options {
    int64_t grace_ms;
    bool all, force, no_wait;
};

static const struct opt_spec start_options[] = {
    {"all", 'a', OPT_FLAG, NULL, "every instance", offsetof(struct start_stop_options, all)},
    {"no-wait", 0, OPT_FLAG, NULL, "do not wait until they are ready",
     offsetof(struct start_stop_options, no_wait)},
    {0},
};

/* Those of `stop`, with one more in front. */
static const struct opt_spec restart_options[] = {
    {"no-wait", 0, OPT_FLAG, NULL, "do not wait until each is ready",
     offsetof(struct start_stop_options, no_wait)},
    {"all", 'a', OPT_FLAG, NULL, "every instance", offsetof(struct start_stop_options, all)},
    {"grace", 'g', OPT_DURATION, "TIME",
     "kill after this time (default: as the component's manifest says)",
     offsetof(struct start_stop_options, grace_ms)},
    {"force", 0, OPT_FLAG, NULL, "kill at once, without any grace",
     offsetof(struct start_stop_options, force)},
    {0},
};

struct screen {
    const struct cmd_context *x;
    const char *done;
    struct node *rows; /* {"instance","done","ms"} of each that is done */
};

static void on_done(void *arg, const char *instance, int64_t took_ms)
{
    const struct screen *s = arg;
    struct node *row = node_add(s->rows, node_new_map());

    node_set_text(row, "instance", instance);
    node_set_text(row, "done", s->done);
    node_set_int(row, "ms", took_ms);
    if (!s->x->quiet && !s->x->json)
        out_line(stdout, "%s %s (%.1f s)", instance, s->done, (double)took_ms / 1000.0);
}

/* A broken component folder is not a reason not to stop something. */
static void open_catalog(struct cmd_context *x)
{
    struct err e;

    if (env_need(x->env, ENV_NEEDS_CATALOG, &e) == 0)
        return;
    err_drop(&e, "the order of components");
    strv_clear(&x->env->problems);
}

static int start_stop(struct cmd_context *x, enum start_stop_verb verb,
                      const struct start_stop_options *o, const struct strv *operands,
                      struct err *e)
{
    static const char *const done[] = {"started", "stopped", "restarted"};
    const struct start_stop_opts opts = {
        .verb = verb, .grace_ms = o->grace_ms, .force = o->force, .no_wait = o->no_wait};
    auto_node struct node *rows = node_new_list();
    struct screen s = {.x = x, .done = done[verb], .rows = rows};
    const struct start_stop_events ev = {.done = on_done, .arg = &s};
    auto_strv struct strv names = {0};
    int r;

    if (operands->count == 0 && !o->all)
        return err_set(e, ERR_USAGE, "name instances or components, or use --all");
    if (instances_select(&names, x->env, operands, 0, e) < 0)
        return -1;
    open_catalog(x);
    r = held_start_stop(x->env, &names, &opts, &ev, e);
    if (x->json) /* also when it went wrong later */
        out_json(rows);
    return r;
}

static int run_start(struct cmd_context *x, void *o, const struct strv *operands, struct err *e)
{
    return start_stop(x, START_STOP_START, o, operands, e);
}

static int run_stop(struct cmd_context *x, void *o, const struct strv *operands, struct err *e)
{
    return start_stop(x, START_STOP_STOP, o, operands, e);
}

static int run_restart(struct cmd_context *x, void *o, const struct strv *operands, struct err *e)
{
    return start_stop(x, START_STOP_RESTART, o, operands, e);
}

const struct cmd cmd_start = {
    .help = {.name = "start",
             .summary = "start stopped instances",
             .args = "INSTANCE|COMPONENT ...",
             .details =
                 "What a component requires is started first, and is ready before it follows. "
                 "Ends when all are ready; one that is not after a minute (--timeout) is "
                 "status 5.",
             .options = start_options,
             .group = "Instances"},
    .options_size = sizeof(struct start_stop_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_CONTAINERS,
    .max_operands = -1,
    .run = run_start,
};

const struct cmd cmd_stop = {
    .help = {.name = "stop",
             .summary = "stop instances; their containers and data stay",
             .args = "INSTANCE|COMPONENT ...",
             .details = "What others require is stopped after them. They stay so: `slipwayd` and "
                        "whoever keeps the environment leave them alone until `slipway start`, "
                        "`slipway restart` or `slipway up`.",
             .options = restart_options + 1, /* all but the first row */
             .group = "Instances"},
    .options_size = sizeof(struct start_stop_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_CONTAINERS,
    .max_operands = -1,
    .run = run_stop,
};

const struct cmd cmd_restart = {
    .help = {.name = "restart",
             .summary = "restart instances, one after the other",
             .args = "INSTANCE|COMPONENT ...",
             .details =
                 "Each is ready before the next one is restarted, so that what is replicated "
                 "stays available; what others require comes before them. One that is not ready "
                 "after a minute (--timeout) ends it.",
             .options = restart_options,
             .group = "Instances"},
    .options_size = sizeof(struct start_stop_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_CONTAINERS,
    .max_operands = -1,
    .run = run_restart,
};

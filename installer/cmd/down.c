/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cmd/ask.h"
#include "cmd/out.h"
#include "cmd/run_progress.h"
#include "env/lifecycle.h"

enum { PLAN_TEXT_MAX = 1 << 20 };

struct down_options {
    bool volumes, yes, force;
    bool asked; /* no option: the question was answered */
    struct strv named;
    int64_t lock_wait_ms;
};

static const struct opt_spec options[] = {
    {"volumes", 0, OPT_FLAG, NULL, "remove the volumes too: the data is gone",
     offsetof(struct down_options, volumes)},
    {"volume", 0, OPT_LIST, "NAME", "remove only this volume, which nobody may use",
     offsetof(struct down_options, named)},
    ASK_YES(down_options),
    {"force", 0, OPT_FLAG, NULL, "go on without the lock when etcd does not give it",
     offsetof(struct down_options, force)},
    {"lock-wait", 0, OPT_DURATION, "TIME", "wait for another run that holds the lock",
     offsetof(struct down_options, lock_wait_ms)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway down", "remove the demo's containers and network; its data stays"},
    {"slipway -e test down --volumes --yes", "remove everything the environment test made"},
    {0},
};

static bool loses_data(const struct down_options *d)
{
    return d->volumes || d->named.count;
}

static int check(const struct cmd_context *x, const void *opts, const struct strv *operands,
                 struct err *e)
{
    const struct down_options *d = opts;

    (void)operands;
    if (!loses_data(d))
        return 0;
    return ask_may_lose(d->volumes ? "down --volumes" : "down --volume", x->name || x->file, d->yes,
                        e);
}

static int ask(void *arg, const struct plan *p, struct err *e)
{
    struct down_options *d = arg;
    auto_buf struct buf b = {0};

    if (d->asked || !loses_data(d))
        return 0;
    buf_init(&b, PLAN_TEXT_MAX);
    plan_print(&b, p, false);
    buf_puts(&b, "Remove all this, the data too?");
    if (ask_before(buf_str(&b), d->yes, e) < 0)
        return -1;
    d->asked = true;
    return 0;
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    struct down_options *opt = opts;
    struct run_progress s;
    struct execute_result result;
    struct env_down d = {.volumes = opt->volumes,
                         .named = opt->named.count ? &opt->named : NULL,
                         .force = opt->force};
    struct env_run o = {.lock_wait_ms = opt->lock_wait_ms,
                        .approve = ask,
                        .approve_arg = opt,
                        .fault = getenv("SLIPWAY_FAULT")};
    int64_t began = clock_now_ms();
    int r;

    (void)operands;
    run_progress_init(&s, x);
    o.events = run_progress_events(&s);
    r = env_down(&result, x->env, &d, &o, e);
    /* Running it twice equals running it once. */
    if (r < 0 && e->code == ERR_NOTFOUND && result.done == 0) {
        out_line(stderr, "%s: there is no such environment, nothing to do", x->env->name);
        if (x->json)
            run_progress_end(&s, x->env->name, &result, clock_now_ms() - began);
        r = 0;
    } else if (r == 0) {
        run_progress_end(&s, x->env->name, &result, clock_now_ms() - began);
    }
    run_progress_clear(&s);
    strv_clear(&opt->named);
    return r;
}

const struct cmd cmd_down = {
    .help = {.name = "down",
             .summary = "remove what an environment made; volumes only when asked",
             .options = options,
             .examples = examples,
             .group = "Environments"},
    .options_size = sizeof(struct down_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_ENGINE,
    .check = check,
    .run = run,
};

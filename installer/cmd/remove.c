/* SPDX-License-Identifier: MIT */
/* remove: single instances' containers, so that `up` recreates them; never a running one without
 * being told to, and data only when asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/ask.h"
#include "cmd/run_progress.h"
#include "env/lifecycle.h"

enum { PLAN_TEXT_MAX = 1 << 20 };

struct remove_options {
    bool volumes, yes, force;
    int64_t lock_wait_ms;
};

static const struct opt_spec options[] = {
    {"force", 'f', OPT_FLAG, NULL, "stop and remove it although it runs",
     offsetof(struct remove_options, force)},
    {"volumes", 0, OPT_FLAG, NULL, "remove its volumes too: its data is gone",
     offsetof(struct remove_options, volumes)},
    ASK_YES(remove_options),
    {"lock-wait", 0, OPT_DURATION, "TIME", "wait for another run that holds the lock",
     offsetof(struct remove_options, lock_wait_ms)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway stop ceph-osd-2 && slipway remove ceph-osd-2 && slipway up",
     "a new container on the same data"},
    {"slipway -e demo remove --force --volumes --yes ceph-osd-2",
     "the data too; `slipway up` starts afresh"},
    {0},
};

struct question {
    const struct remove_options *o;
    bool asked;
};

static int ask(void *arg, const struct plan *p, struct err *e)
{
    struct question *q = arg;
    auto_buf struct buf b = {0};

    if (q->asked || p->count == 0)
        return 0;
    buf_init(&b, PLAN_TEXT_MAX);
    plan_print(&b, p, false);
    buf_printf(&b, "Remove this%s?", q->o->volumes ? ", the data too" : "; its data stays");
    if (ask_before(buf_str(&b), q->o->yes, e) < 0)
        return -1;
    q->asked = true;
    return 0;
}

static int check(const struct cmd_context *x, const void *opts, const struct strv *operands,
                 struct err *e)
{
    const struct remove_options *o = opts;

    (void)operands;
    return o->volumes ? ask_may_lose("remove --volumes", x->name || x->file, o->yes, e) : 0;
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct remove_options *opt = opts;
    struct question q = {.o = opt};
    struct execute_result result;
    struct env_remove what = {.words = operands, .volumes = opt->volumes, .force = opt->force};
    struct env_run o = {.lock_wait_ms = opt->lock_wait_ms,
                        .approve = ask,
                        .approve_arg = &q,
                        .fault = getenv("SLIPWAY_FAULT")};
    int64_t began = clock_now_ms();
    struct run_progress s;
    int r;

    run_progress_init(&s, x);
    o.events = run_progress_events(&s);
    r = env_remove(&result, x->env, &what, &o, e);
    if (r == 0)
        run_progress_end(&s, x->env->name, &result, clock_now_ms() - began);
    if (r == 0 && result.done && !x->json && !x->quiet)
        puts("`slipway up` recreates it; for good, give the component fewer `instances` first");
    run_progress_clear(&s);
    return r;
}

const struct cmd cmd_remove = {
    .help = {.name = "remove",
             .summary = "remove stopped instances' containers; `up` recreates them",
             .args = "INSTANCE ...",
             .details =
                 "A running instance is refused (exit status 1) without --force. On a terminal it "
                 "asks first. The data stays, and so does the instance's configuration, without "
                 "--volumes. Nothing is moved away first: to have fewer instances for good, "
                 "lower `instances` in the document and run `slipway up`, which drains them. The "
                 "whole environment: `slipway down`.",
             .options = options,
             .examples = examples,
             .group = "Instances"},
    .options_size = sizeof(struct remove_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_CONTAINERS,
    .min_operands = 1,
    .max_operands = -1,
    .check = check,
    .run = run,
};

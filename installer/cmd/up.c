/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/show.h"
#include "cmd/source.h"
#include "plan/converge.h"

enum { DEFAULT_DEADLINE_MS = 30 * 60 * 1000 };

struct up_options {
    int64_t lock_wait_ms, parallel;
};

static const struct opt_spec options[] = {
    {"lock-wait", 0, OPT_DURATION, "TIME", "wait for another run that holds the lock",
     offsetof(struct up_options, lock_wait_ms)},
    {"parallel", 0, OPT_INT, "N", "calls under way at once (default 8)",
     offsetof(struct up_options, parallel), .min = 1, .max = 32},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway up", "the environment there is, as it was changed to; without any, the demo"},
    {"slipway up my.yaml", "make or change the environment that my.yaml describes"},
    {"slipway up --lock-wait 5min", "wait for another run first"},
    {0},
};

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct up_options *u = opts;
    struct show s;
    struct execute_result result;
    struct converge_opts o = {.spec = x->spec,
                              .catalog = x->catalog,
                              .images = x->images,
                              .command = "up",
                              .settle = cmd_settle,
                              .settle_arg = x,
                              .lock_wait_ms = u->lock_wait_ms,
                              .parallel = (unsigned)u->parallel,
                              .deadline = cmd_deadline(x, DEFAULT_DEADLINE_MS)};
    int64_t began = clock_now_ms();
    int r;

    (void)operands;
    show_init(&s, x);
    o.events = show_events(&s);
    r = converge_up(&result, x->engine, &o, e);
    if (r < 0 && result.done > 0 && e->code != ERR_INTERRUPTED && e->code != ERR_LOCKED)
        e->code = ERR_PARTIAL;
    if (r == 0) {
        source_save(x);
        show_end(&s, x->spec->name, &result, clock_now_ms() - began);
    }
    show_clear(&s);
    return r;
}

const struct cmd cmd_up = {
    .help = {.name = "up",
             .summary = "make or change an environment until it is as described",
             .args = "[FILE]",
             .options = options,
             .examples = examples,
             .group = "Environments"},
    .options_size = sizeof(struct up_options),
    .needs = CMD_NEEDS_CATALOG | CMD_NEEDS_SPEC | CMD_NEEDS_ENGINE,
    .max_operands = 1,
    .file_operand = true,
    .run = run,
};

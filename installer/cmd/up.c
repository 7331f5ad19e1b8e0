/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/open.h"
#include "cmd/out.h"
#include "cmd/run_progress.h"
#include "env/lifecycle.h"
#include "env/document_path.h"
#include "env/page.h"

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

/* Where the page is; the first time with a token, which nobody else makes. What goes wrong here is
 * not the end of `up`: `open` says it. */
static void tell_page(struct cmd_context *x)
{
    const struct spec_component *c = spec_component(x->env->spec, MANIFEST_CONTROLLER);
    auto_wipe char *token = NULL;
    struct page p = {0};
    struct err e;

    if (!c || c->count == 0 || x->quiet)
        return;
    if (env_need(x->env, ENV_NEEDS_KEY, &e) < 0 || page_find(&p, x->env, &e) < 0 ||
        page_first_token(&token, x->env, &e) < 0) {
        log_warn("the page of the controller: %s", e.msg);
    } else if (x->json) {
        auto_node struct node *n = node_new_map();

        node_set(n, "page", open_json(&p, token));
        out_json_line(n);
    } else {
        open_print(&p, token);
    }
    page_clear(&p);
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct up_options *u = opts;
    struct run_progress s;
    struct execute_result result;
    struct env_run o = {.lock_wait_ms = u->lock_wait_ms,
                        .parallel = (unsigned)u->parallel,
                        .fault = getenv("SLIPWAY_FAULT")};
    int64_t began = clock_now_ms();
    auto_free char *note = NULL;
    int r;

    (void)operands;
    run_progress_init(&s, x);
    o.events = run_progress_events(&s);
    r = env_up(&result, x->env, &o, e);
    note = r == 0 ? document_path_difference(x->env, x->env->spec->document) : NULL;
    if (note)
        log_warn("%s", note);
    if (r == 0)
        run_progress_end(&s, x->env->spec->name, &result, clock_now_ms() - began);
    run_progress_clear(&s);
    if (r == 0)
        tell_page(x);
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
    .needs = ENV_NEEDS_CATALOG | ENV_NEEDS_SPEC | ENV_NEEDS_ENGINE,
    .max_operands = 1,
    .file_operand = true,
    .run = run,
};

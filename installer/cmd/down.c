/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "cmd/show.h"
#include "plan/converge.h"

enum { DEFAULT_DEADLINE_MS = 10 * 60 * 1000, PLAN_TEXT_MAX = 1 << 20 };

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
    {"yes", 'y', OPT_FLAG, NULL, "do not ask", offsetof(struct down_options, yes)},
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

/* On a terminal, data is not removed without a word. */
static int ask(void *arg, const struct plan *p, struct err *e)
{
    struct down_options *d = arg;
    struct buf auto_buf b = {0};
    char answer[16] = "";

    if (d->yes || d->asked || !(d->volumes || d->named.count) || !isatty(STDIN_FILENO))
        return 0;
    buf_init(&b, PLAN_TEXT_MAX);
    plan_print(&b, p, false);
    fprintf(stderr, "%sRemove all this, the data too? [y/N] ", buf_str(&b));
    if (!out_ask(answer, sizeof(answer)) || (answer[0] != 'y' && answer[0] != 'Y'))
        return err_set(e, ERR_INTERRUPTED, "nothing was removed");
    d->asked = true;
    return 0;
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    struct down_options *d = opts;
    struct show s;
    struct execute_result result;
    struct converge_down_opts o = {.env = x->env,
                                   .volumes = d->volumes,
                                   .named = d->named.count ? &d->named : NULL,
                                   .lock_wait_ms = d->lock_wait_ms,
                                   .deadline = cmd_deadline(x, DEFAULT_DEADLINE_MS),
                                   .force = d->force,
                                   .approve = ask,
                                   .approve_arg = d};
    int64_t began = clock_now_ms();
    int r;

    (void)operands;
    show_init(&s, x);
    o.events = show_events(&s);
    r = converge_down(&result, x->engine, &o, e);
    if (r < 0 && result.done > 0 && e->code != ERR_INTERRUPTED && e->code != ERR_LOCKED)
        e->code = ERR_PARTIAL;
    /* Running it twice equals running it once. */
    if (r < 0 && e->code == ERR_NOTFOUND && result.done == 0) {
        fprintf(stderr, "%s: there is no such environment, nothing to do\n", x->env);
        r = 0;
    } else if (r == 0) {
        show_end(&s, x->env, &result, clock_now_ms() - began);
    }
    show_clear(&s);
    strv_clear(&d->named);
    return r;
}

const struct cmd cmd_down = {
    .help = {.name = "down",
             .summary = "remove what an environment made; volumes only when asked",
             .options = options,
             .examples = examples,
             .group = "Environments"},
    .options_size = sizeof(struct down_options),
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_ENGINE,
    .run = run,
};

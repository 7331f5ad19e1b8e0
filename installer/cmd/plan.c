/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "conf/json.h"
#include "env/lifecycle.h"

enum { PLAN_TEXT_MAX = 16 << 20, STATUS_CHANGES = 2 };

static const struct opt_example examples[] = {
    {"slipway plan", "what `slipway up` would do"},
    {"slipway plan my.yaml --json", "the same as JSON, with the order of the operations"},
    {0},
};

static void print(const struct cmd_context *x, const struct plan *p)
{
    auto_buf struct buf b = {0}, safe = {0};

    buf_init(&b, PLAN_TEXT_MAX);
    buf_init(&safe, PTRDIFF_MAX);
    if (x->json) {
        auto_node struct node *n = plan_json(p);

        json_format(&b, n, 2);
        buf_putc(&b, '\n');
    } else {
        size_t shown = plan_print(&b, p, x->verbose > 0);

        if (p->count == 0)
            buf_printf(&b, "%s: nothing to do\n", p->env);
        else
            buf_printf(&b, "%s: %zu operation%s%s; `slipway up` runs them\n", p->env, p->count,
                       p->count == 1 ? "" : "s",
                       shown < p->count ? " (-v shows the small ones too)" : "");
    }
    out_safe_lines(&safe, buf_str(&b), b.len); /* some of it may be an instance's own words */
    out_buf(&safe);
}

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    struct converge_view v;
    int status;

    (void)options;
    (void)operands;
    if (env_plan(&v, x->env, e) < 0)
        return -1;
    print(x, v.plan);
    status = v.plan->count ? STATUS_CHANGES : 0;
    converge_clear(&v);
    return status;
}

const struct cmd cmd_plan = {
    .help = {.name = "plan",
             .summary = "say what `up` would do; exit 0: nothing, 2: changes",
             .args = "[FILE]",
             .examples = examples,
             .group = "Environments"},
    .needs = ENV_NEEDS_CATALOG | ENV_NEEDS_SPEC | ENV_NEEDS_ENGINE,
    .max_operands = 1,
    .file_operand = true,
    .run = run,
};

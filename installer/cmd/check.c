/* SPDX-License-Identifier: MIT */
#include "check/run.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"

enum { EXIT_FAILED = 5, TEXT_MAX = 4 << 20, MESSAGE_MAX = 4096 };

static const struct opt_example examples[] = {
    {"slipway check", "everything; exit status 5 when something failed"},
    {"slipway check access ceph-osd", "two modules"},
    {"slipway check access latency", "one test of a module; access.latency means the same"},
    {"slipway check --json | jq .recap", "how many of each; no check ever asks anything"},
    {"slipway check fuse", "whether this host can have volumes as files, and what is missing"},
    {0},
};

static const enum out_color COLORS[] = {
    [CHECK_SUCCESS] = OUT_GOOD, [CHECK_WARNING] = OUT_WARN,  [CHECK_FAILED] = OUT_BAD,
    [CHECK_SKIPPED] = OUT_DIM,  [CHECK_EXCEPTION] = OUT_BAD,
};

struct screen {
    const struct cmd_context *x;
    int width; /* of the longest module's name */
    bool color;
};

static void on_begin(void *arg, const struct strv *modules)
{
    struct screen *s = arg;

    for (size_t i = 0; i < modules->count; i++)
        if ((int)strlen(modules->items[i]) > s->width)
            s->width = (int)strlen(modules->items[i]);
}

static void on_row(void *arg, enum check_result result, const struct node *row)
{
    const struct screen *s = arg;
    auto_buf struct buf b = {0};
    const char *advice = node_get_text(row, "advice"), *message = node_get_text(row, "message");

    if (s->x->json)
        return;
    buf_init(&b, TEXT_MAX);
    buf_printf(&b, "%s%-9s%s  %-*s  ", s->color ? out_escape(COLORS[result]) : "",
               check_result_name(result), s->color ? out_escape(OUT_PLAIN) : "", s->width,
               node_get_text(row, "module"));
    out_safe(&b, message, strnlen(message, MESSAGE_MAX));
    buf_printf(&b, "%s  [%s]%s\n", s->color ? out_escape(OUT_DIM) : "", node_get_text(row, "code"),
               s->color ? out_escape(OUT_PLAIN) : "");
    if (advice && *advice && result != CHECK_SUCCESS) {
        buf_printf(&b, "%*s", s->width + 13, "");
        out_safe(&b, advice, strnlen(advice, MESSAGE_MAX));
        buf_putc(&b, '\n');
    }
    out_buf(&b);
    fflush(stdout);
}

static void print_json(const struct check_report *r, const char *env, bool complete)
{
    auto_node struct node *n = node_new_map();
    struct node *recap;

    node_set_text(n, "environment", env);
    node_set_bool(n, "ok", r->good && complete);
    recap = node_set(n, "recap", node_new_map());
    for (int i = 0; i < CHECK_RESULT_COUNT; i++)
        node_set_int(recap, check_result_name(i), (int64_t)r->counts[i]);
    node_set(n, "results", node_copy(r->rows));
    out_json(n);
}

static void print_recap(const struct screen *s, const struct check_report *r, bool interrupted)
{
    auto_free char *untested = strv_join(&r->untested, ", ");
    auto_buf struct buf b;

    buf_init(&b, TEXT_MAX);
    buf_printf(&b, "\n%s%s: %s%s", s->color ? out_escape(OUT_BOLD) : "", s->x->env->name,
               interrupted ? "interrupted"
               : r->good   ? "good"
                           : "NOT good",
               s->color ? out_escape(OUT_PLAIN) : "");
    for (int i = 0; i < CHECK_RESULT_COUNT; i++)
        if (r->counts[i] || i == CHECK_SUCCESS)
            buf_printf(&b, ", %zu %s", r->counts[i], check_result_name(i));
    if (r->untested.count && !interrupted)
        buf_printf(&b, "; nothing was tested of %s", untested);
    buf_putc(&b, '\n');
    out_buf(&b);
}

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    struct screen s = {.x = x, .color = out_has_color(x, stdout)};
    const struct check_events ev = {.begin = on_begin, .row = on_row, .arg = &s};
    struct check_report report;
    int r = check_run(&report, x->env, operands, &ev, e);

    (void)options;
    if (report.rows && x->json)
        print_json(&report, x->env->name, r == 0);
    else if (report.rows)
        print_recap(&s, &report, r < 0 && e->code == ERR_INTERRUPTED);
    if (r == 0 && !report.good)
        r = EXIT_FAILED;
    check_report_clear(&report);
    return r;
}

const struct cmd cmd_check = {
    .help = {.name = "check",
             .summary = "try the environment, every component by its own check; exit 5: something "
                        "failed",
             .args = "[MODULE [TEST ...] ...]",
             .details =
                 "Modules: instances, access (to etcd), host (space and permissions on this "
                 "machine), containers (ports, names, zombies, logs, processes, permissions in "
                 "them), fuse (what this host needs for volumes as files; works before there is an "
                 "environment), volumes (one of its own, written and read through every driver), "
                 "and every component of the environment that has a hook `check`. A word behind a "
                 "module that does not name a module is one of its tests, by the name or the code "
                 "that the "
                 "module prints. Each test says SUCCESS, WARNING, FAILED, SKIPPED, or EXCEPTION "
                 "when it could not be carried out, a code that stays the same over versions, and "
                 "advice; the last line counts them. Exit 5: something FAILED or was an EXCEPTION, "
                 "or of "
                 "a module that was named nothing could be tested.",
             .examples = examples,
             .group = "Environments"},
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_CATALOG | ENV_NEEDS_ENGINE,
    .max_operands = -1,
    .run = run,
};

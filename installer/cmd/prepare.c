/* SPDX-License-Identifier: MIT */
/* Steps in many instances. */
#include "env/prepare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/out.h"
#include "env/selector.h"
#include "env/tally.h"

enum { TEXT_MAX = 4 << 20 };

struct prepare_options {
    const char *on;
    int64_t parallel;
    bool dry_run, fail_fast;
};

static const struct opt_spec options[] = {
    {"on", 'o', OPT_STRING, "SELECTOR", "which instances; as `run` has it",
     offsetof(struct prepare_options, on)},
    {"dry-run", 'n', OPT_FLAG, NULL, "change nothing, say what would be changed",
     offsetof(struct prepare_options, dry_run)},
    {"parallel", 'p', OPT_INT, "N", "so many instances at once (default: all)",
     offsetof(struct prepare_options, parallel)},
    {"fail-fast", 0, OPT_FLAG, NULL,
     "once one has failed, begin no other and give up those that are under way",
     offsetof(struct prepare_options, fail_fast)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway prepare steps.yaml --on all --dry-run", "what would be changed, as a diff"},
    {"slipway prepare steps.yaml --on 'ceph-osd-*'", "change it; a second time: nothing"},
    {"slipway catalog steps", "what a step can say"},
    {0},
};

static const char *const words[] = {[PREPARE_STATE_LEFT] = "left",
                                    [PREPARE_STATE_UNCHANGED] = "unchanged",
                                    [PREPARE_STATE_CHANGED] = "changed",
                                    [PREPARE_STATE_FAILED] = "failed"};
static const enum out_color colors[] = {[PREPARE_STATE_LEFT] = OUT_DIM,
                                        [PREPARE_STATE_UNCHANGED] = OUT_DIM,
                                        [PREPARE_STATE_CHANGED] = OUT_WARN,
                                        [PREPARE_STATE_FAILED] = OUT_BAD};

struct screen {
    const struct cmd_context *x;
    const struct steps *steps;
    struct strv names;
    bool look, color;
    int width; /* of the names */
};

/* ---- while they run ---- */

static void put_diff(struct buf *b, const struct prepare_step *k)
{
    auto_buf struct buf safe = {0};
    auto_strv struct strv lines = {0};

    buf_init(&safe, TEXT_MAX);
    if (k->diff)
        out_safe_lines(&safe, k->diff, k->diff_len);
    strv_split(&lines, buf_str(&safe), "\n");
    for (size_t i = 0; i < lines.count; i++)
        buf_printf(b, "    %s\n", lines.items[i]);
    if (k->cut)
        buf_puts(b, "    ... the rest is not shown\n");
}

static void on_step(void *arg, const struct prepare_result *r, size_t index, size_t step)
{
    const struct screen *s = arg;
    const struct prepare_step *k = &r->steps[step];
    const char *title = s->steps->items[step].title,
               *text = k->state == PREPARE_STATE_FAILED ? r->error.msg : title;
    auto_buf struct buf b = {0};

    (void)index;
    if (s->x->json || s->x->quiet || (k->state == PREPARE_STATE_UNCHANGED && s->x->verbose == 0))
        return;
    buf_init(&b, TEXT_MAX);
    buf_printf(&b, "%-*s  %s%-9s%s  ", s->width, r->target,
               s->color ? out_escape(colors[k->state]) : "", words[k->state],
               s->color ? out_escape(OUT_PLAIN) : "");
    out_safe(&b, text, strlen(text));
    buf_putc(&b, '\n');
    put_diff(&b, k);
    out_buf(&b);
    fflush(stdout);
}

/* ---- when all have ended ---- */

static struct node *step_row(const struct step *s, const struct prepare_step *k)
{
    struct node *n = node_new_map();
    auto_buf struct buf safe = {0};

    node_set_text(n, "step", s->title);
    node_set_int(n, "line", s->line);
    node_set_text(n, "state", words[k->state]);
    if (k->state != PREPARE_STATE_LEFT)
        node_set_int(n, "ms", k->took_ms);
    if (!k->diff)
        return n;
    buf_init(&safe, TEXT_MAX);
    out_safe_lines(&safe, k->diff, k->diff_len);
    node_set_text(n, "diff", buf_str(&safe));
    if (k->cut)
        node_set_bool(n, "cut", true);
    return n;
}

static struct node *row_of(const struct screen *s, const struct prepare_result *r)
{
    struct node *n = node_new_map(), *list;

    node_set_text(n, "instance", r->target);
    if (r->via)
        node_set_text(n, "via", r->via);
    node_set_bool(n, "ok", r->error.code == ERR_NONE);
    node_set_int(n, "unchanged", (int64_t)r->unchanged);
    node_set_int(n, "changed", (int64_t)r->changed);
    node_set_int(n, "ms", r->took_ms);
    list = node_set(n, "steps", node_new_list());
    for (size_t i = 0; i < s->steps->count; i++)
        node_add(list, step_row(&s->steps->items[i], &r->steps[i]));
    out_error(n, &r->error);
    return n;
}

static void print_json(const struct screen *s, const struct prepare_result *results)
{
    auto_node struct node *all = node_new_map();
    struct node *rows;

    node_set_bool(all, "dry_run", s->look);
    rows = node_set(all, "results", node_new_list());
    for (size_t i = 0; i < s->names.count; i++)
        node_add(rows, row_of(s, &results[i]));
    out_json(all);
}

static void print_table(const struct screen *s, const struct prepare_result *results)
{
    const char *const heads[] = {
        "INSTANCE", "VIA",   "UNCHANGED", s->look ? "WOULD CHANGE" : "CHANGED",
        "TIME",     "ERROR", NULL};
    struct out_table *t = out_table_new(heads);

    for (size_t i = 0; i < s->names.count; i++) {
        const struct prepare_result *r = &results[i];
        bool well = r->error.code == ERR_NONE;

        out_table_add(t, r->target, OUT_PLAIN);
        out_table_add(t, r->via, OUT_DIM);
        out_table_addf(t, OUT_PLAIN, "%zu", r->unchanged);
        out_table_addf(t, r->changed ? OUT_WARN : OUT_PLAIN, "%zu", r->changed);
        out_table_addf(t, OUT_PLAIN, "%.1f s", (double)r->took_ms / 1000.0);
        out_table_add(t, well ? NULL : r->error.msg, well ? OUT_DIM : OUT_BAD);
    }
    out_table_print(t, s->x);
}

static int summary(const struct screen *s, const struct prepare_result *results, struct err *e)
{
    struct tally t = {0};

    for (size_t i = 0; i < s->names.count; i++)
        tally_add(&t, results[i].target, results[i].error.code == ERR_NONE);
    return tally_result(&t, s->x->env, "interrupted; what is left is done by another run", e);
}

/* ---- the command ---- */

static int load(struct steps **out, const char *word, struct err *e)
{
    const char *path = cmd_document_path(word);
    struct problems p;
    size_t count;

    problems_init(&p, path);
    *out = steps_load(path, strcmp(word, "-") == 0 ? "." : NULL, &p);
    count = p.count;
    for (size_t i = 0; i < p.lines.count; i++)
        cmd_tell(p.lines.items[i]);
    problems_clear(&p);
    return *out ? 0
                : err_set(e, ERR_CONFIG, "%s: %zu problem%s; nothing was changed", path, count,
                          count == 1 ? "" : "s");
}

static int find(struct screen *s, const char *on, struct err *e)
{
    int r = selector_names(&s->names, s->x->env, on, e);

    for (size_t i = 0; i < s->names.count; i++)
        if ((int)strlen(s->names.items[i]) > s->width)
            s->width = (int)strlen(s->names.items[i]);
    s->color = out_has_color(s->x, stdout);
    return r;
}

static int run_found(struct screen *s, const struct prepare_opts *o, struct err *e)
{
    const struct prepare_events ev = {.step = on_step, .arg = s};
    struct prepare_result *results;
    int r;

    if (prepare_many(&results, s->x->env, &s->names, o, &ev, e) < 0)
        return -1;
    if (s->x->json)
        print_json(s, results);
    else if (!s->x->quiet)
        print_table(s, results);
    r = summary(s, results, e);
    prepare_free(results, s->names.count, s->steps);
    return r;
}

static int check(const struct cmd_context *x, const void *opts, const struct strv *operands,
                 struct err *e)
{
    const struct prepare_options *o = opts;

    (void)x, (void)operands;
    if (!o->on)
        return err_set(e, ERR_USAGE, "name the instances with --on, as --on ceph-osd or --on all");
    if (o->parallel < 0 || o->parallel > 10000)
        return err_set(e, ERR_USAGE, "--parallel takes 1 to 10000, not %lld",
                       (long long)o->parallel);
    return 0;
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct prepare_options *o = opts;
    struct steps *steps;
    struct screen s = {.x = x, .look = o->dry_run};
    int r = load(&steps, operands->items[0], e); /* what is wrong with it is said in any case */

    if (r == 0)
        r = cmd_open(x, ENV_NEEDS_NAME | ENV_NEEDS_SSH, e);
    if (r == 0)
        r = find(&s, o->on, e);
    if (r == 0) {
        const struct prepare_opts how = {.steps = steps,
                                         .look = o->dry_run,
                                         .parallel = (unsigned)o->parallel,
                                         .fail_fast = o->fail_fast};

        s.steps = steps;
        r = run_found(&s, &how, e);
    }
    strv_clear(&s.names);
    steps_free(steps);
    return r;
}

const struct cmd cmd_prepare = {
    .help =
        {.name = "prepare",
         .summary = "bring files, packages, users and services of many instances into a state",
         .args = "STEPS.yaml",
         .details =
             "STEPS.yaml is a list of steps, each of which says what has to be so: `package`, "
             "`file`, `directory`, `user`, `group`, `line`, `service`, `command` (with `unless` or "
             "`creates`). `slipway catalog steps` prints every key. A step that finds it so "
             "changes "
             "nothing, so a second run changes nothing, and a run that was interrupted is run "
             "again. What differs is shown as a diff, of secret files only that it differs; a step "
             "that fails ends the steps of its instance, not those of the others: status 3 when "
             "some failed. One run at a time works in an instance: who comes second waits for ten "
             "seconds, and then says whose turn it is.\n\n"
             "It goes over SSH where sshd runs in the container, else through the Engine API "
             "(VIA). "
             "An instance needs a POSIX shell; Debian's and busybox's tools will do. What is not "
             "on "
             "a volume goes when `up` replaces the container: what every container of a component "
             "needs belongs in its image.",
         .options = options,
         .examples = examples,
         .group = "Instances"},
    .options_size = sizeof(struct prepare_options),
    .min_operands = 1,
    .max_operands = 1,
    .check = check,
    .opens = true,
    .run = run,
};

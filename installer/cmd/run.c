/* SPDX-License-Identifier: MIT */
/* One command in many instances. */
#include "env/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/log_lines.h"
#include "cmd/out.h"
#include "env/instances.h"
#include "env/selector.h"
#include "env/tally.h"

enum { JSON_MAX = 1 << 20, LINE_MAX_LEN = 1 << 20 };

struct run_options {
    const char *on;
    int64_t parallel;
    bool fail_fast;
};

static const struct opt_spec options[] = {
    {"on", 'o', OPT_STRING, "SELECTOR", "which instances (default: all)",
     offsetof(struct run_options, on)},
    {"parallel", 'p', OPT_INT, "N", "so many instances at once (default: all)",
     offsetof(struct run_options, parallel)},
    {"fail-fast", 0, OPT_FLAG, NULL,
     "once one has failed, begin no other and give up those that are under way",
     offsetof(struct run_options, fail_fast)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway run --on all -- uname -r", "one command everywhere"},
    {"slipway run --on 'ceph-osd-*,ceph-mon' -- df -h /", "where a pattern or a component matches"},
    {"slipway run --on health=unhealthy -- ps aux", "what runs where something is wrong"},
    {"slipway run -- sh -c 'echo $HOSTNAME'", "a shell only where one is named"},
    {0},
};

/* What of an instance's streams is not yet a line, or all of it for JSON. */
struct output {
    struct buf streams[2];
};

struct screen {
    const struct cmd_context *x;
    struct log_lines lines;
    struct output *outputs;
};

/* ---- while they run ---- */

static void put_line(const struct screen *s, size_t index, int stream)
{
    struct buf *b = &s->outputs[index].streams[stream - 1];

    log_lines_put(&s->lines, index, stream, buf_str(b), b->len);
    buf_reset(b);
}

static bool on_output(void *arg, size_t index, int stream, const char *p, size_t len)
{
    const struct screen *s = arg;
    struct buf *b = &s->outputs[index].streams[stream - 1];

    while (len && !s->x->json) {
        const char *end = memchr(p, '\n', len);
        size_t part = end ? (size_t)(end - p) : len, room = LINE_MAX_LEN - b->len;
        bool whole = end && part <= room;

        part = part < room ? part : room;
        buf_add(b, p, part);
        if (whole || b->len == LINE_MAX_LEN) /* a longer one becomes several */
            put_line(s, index, stream);
        p += part + whole;
        len -= part + whole;
    }
    buf_add(b, p, len);
    fflush(stdout);
    return !ferror(stdout);
}

static void on_cut(void *arg, size_t index, int stream)
{
    const struct screen *s = arg;

    if (s->x->json)
        s->outputs[index].streams[stream - 1].full = true;
    else
        out_line(stderr, "%s: the rest of its output was dropped (%d MiB)",
                 s->lines.names.items[index], TARGETS_OUTPUT_MAX >> 20);
}

static void on_ended(void *arg, size_t index, const struct run_result *r)
{
    const struct screen *s = arg;

    (void)r;
    for (int stream = 1; stream <= 2 && !s->x->json; stream++)
        if (s->outputs[index].streams[stream - 1].len)
            put_line(s, index, stream);
    fflush(stdout);
}

/* ---- when all have ended ---- */

static void set_output(struct node *n, const char *key, const struct buf *b)
{
    auto_buf struct buf safe = {0};

    buf_init(&safe, JSON_MAX * 4);
    out_safe_lines(&safe, buf_str(b), b->len);
    node_set_text(n, key, buf_str(&safe));
}

static struct node *row_of(const struct run_result *r, const struct output *o)
{
    struct node *n = node_new_map();

    node_set_text(n, "instance", r->instance);
    if (r->via)
        node_set_text(n, "via", r->via);
    if (r->status >= 0)
        node_set_int(n, "status", r->status);
    node_set_bool(n, "ok", run_is_well(r));
    node_set_int(n, "ms", r->took_ms);
    set_output(n, "stdout", &o->streams[0]);
    set_output(n, "stderr", &o->streams[1]);
    if (o->streams[0].full || o->streams[1].full)
        node_set_bool(n, "cut", true);
    out_error(n, &r->error);
    return n;
}

static void print_json(const struct screen *s, const struct run_result *results)
{
    auto_node struct node *all = node_new_map();
    struct node *rows = node_set(all, "results", node_new_list());

    for (size_t i = 0; i < s->lines.names.count; i++)
        node_add(rows, row_of(&results[i], &s->outputs[i]));
    out_json(all);
}

static void print_table(const struct screen *s, const struct run_result *results)
{
    static const char *const heads[] = {"INSTANCE", "VIA", "STATUS", "TIME", "ERROR", NULL};
    struct out_table *t = out_table_new(heads);

    for (size_t i = 0; i < s->lines.names.count; i++) {
        const struct run_result *r = &results[i];
        bool ran = r->error.code == ERR_NONE;

        out_table_add(t, r->instance, OUT_PLAIN);
        out_table_add(t, r->via, OUT_DIM);
        if (r->status >= 0)
            out_table_addf(t, run_is_well(r) ? OUT_GOOD : OUT_BAD, "%d", r->status);
        else
            out_table_add(t, NULL, OUT_BAD);
        out_table_addf(t, OUT_PLAIN, "%.1f s", (double)r->took_ms / 1000.0);
        out_table_add(t, ran ? NULL : r->error.msg, ran ? OUT_DIM : OUT_BAD);
    }
    out_table_print(t, s->x);
}

static int summary(const struct screen *s, const struct run_result *results, struct err *e)
{
    struct tally t = {0};

    if (ferror(stdout)) /* which ends with its own status */
        return 0;
    for (size_t i = 0; i < s->lines.names.count; i++)
        tally_add(&t, results[i].instance, run_is_well(&results[i]));
    return tally_result(&t, s->x->env, "interrupted; what had begun may go on", e);
}

/* ---- the command ---- */

static int run_found(struct screen *s, const struct run_opts *o, struct err *e)
{
    const struct run_events ev = {.output = on_output, .cut = on_cut, .ended = on_ended, .arg = s};
    struct run_result *results;
    int r;

    if (run_many(&results, s->x->env, &s->lines.names, o, &ev, e) < 0)
        return -1;
    s->x->env->changed = true; /* what the command did is not known here */
    if (s->x->json)
        print_json(s, results);
    else if (!s->x->quiet)
        print_table(s, results);
    r = summary(s, results, e);
    free(results);
    return r;
}

static int check(const struct cmd_context *x, const void *opts, const struct strv *operands,
                 struct err *e)
{
    const struct run_options *o = opts;

    (void)x, (void)operands;
    if (o->parallel < 0 || o->parallel > 10000)
        return err_set(e, ERR_USAGE, "--parallel takes 1 to 10000, not %lld",
                       (long long)o->parallel);
    return 0;
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct run_options *o = opts;
    struct screen s = {.x = x};
    size_t first = strcmp(operands->items[0], "--") == 0;
    const struct run_opts how = {.argv = (const char *const *)operands->items + first,
                                 .parallel = (unsigned)o->parallel,
                                 .fail_fast = o->fail_fast};
    int r;

    if (operands->count == first)
        return err_set(e, ERR_USAGE, "name the command to run behind --");
    r = selector_names(&s.lines.names, x->env, o->on, e);
    if (r == 0) {
        log_lines_open(&s.lines, x);
        s.outputs = mem_array(s.lines.names.count, sizeof(*s.outputs));
        for (size_t i = 0; i < s.lines.names.count * 2; i++)
            buf_init(&s.outputs[i / 2].streams[i % 2], x->json ? JSON_MAX : LINE_MAX_LEN);
        r = run_found(&s, &how, e);
    }
    for (size_t i = 0; s.outputs && i < s.lines.names.count * 2; i++)
        buf_clear(&s.outputs[i / 2].streams[i % 2]);
    free(s.outputs);
    log_lines_close(&s.lines);
    return r;
}

const struct cmd cmd_run = {
    .help =
        {.name = "run",
         .summary = "run a command in many instances at once",
         .args = "[--] COMMAND ...",
         .details =
             "SELECTOR is a list with commas: `all`, instances, components, patterns "
             "(ceph-osd-*), health=unhealthy|healthy|unknown. The command gets its words as "
             "they are, and no input. It runs over SSH where sshd runs in the container (ssh: "
             "true), else through the Engine API, where output comes once the command has ended; "
             "VIA says which. One instance that is down or fails does not hold up the others: "
             "status 3 when some failed. Ends after ten minutes (--timeout) or with Ctrl-C; a "
             "command that is given up may go on in its container.",
         .options = options,
         .examples = examples,
         .group = "Instances"},
    .options_size = sizeof(struct run_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_SSH,
    .min_operands = 1,
    .max_operands = -1,
    .stop_at_operand = true,
    .check = check,
    .run = run,
};

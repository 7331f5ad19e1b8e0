/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/log_lines.h"
#include "env/instances.h"
#include "env/logs.h"

struct logs_options {
    bool follow, timestamps;
    const char *tail, *since, *until;
};

static const struct opt_spec options[] = {
    {"follow", 'f', OPT_FLAG, NULL, "go on until Ctrl-C", offsetof(struct logs_options, follow)},
    {"tail", 'n', OPT_STRING, "N", "only the last N lines of each instance, or all",
     offsetof(struct logs_options, tail)},
    {"since", 0, OPT_STRING, "TIME", "from then on: 10min, 2026-01-31T12:00:00Z, or Unix time",
     offsetof(struct logs_options, since)},
    {"until", 0, OPT_STRING, "TIME", "up to then", offsetof(struct logs_options, until)},
    {"timestamps", 't', OPT_FLAG, NULL, "print the time of each line",
     offsetof(struct logs_options, timestamps)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway logs -f", "every instance, as it happens"},
    {"slipway logs ceph-osd --since 10min", "all OSDs, in the order of time"},
    {0},
};

static bool on_line(void *arg, const struct logs_line *line)
{
    log_lines_print(arg, line->source, line->stream, line->text, line->len);
    return !ferror(stdout);
}

/* The server says which instances they are. */
static void on_begin(void *arg, const struct strv *names)
{
    struct log_lines *l = arg;

    strv_add_all(&l->names, names);
    log_lines_open(l, l->x);
}

static int read_options(struct logs_opts *to, char **since, char **until,
                        const struct logs_options *o, struct err *e)
{
    if (log_lines_tail(&to->tail, o->tail, e) < 0 ||
        (o->since && logs_time(since, "--since", o->since, e) < 0) ||
        (o->until && logs_time(until, "--until", o->until, e) < 0))
        return -1;
    to->since = *since;
    to->until = *until;
    to->follow = o->follow;
    return 0;
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct logs_options *o = opts;
    auto_free char *since = NULL, *until = NULL;
    struct log_lines out = {.x = x, .timestamps = o->timestamps, .flush = o->follow};
    struct logs_opts to = {.line = on_line, .arg = &out};
    size_t dropped = 0;
    int r = read_options(&to, &since, &until, o, e);

    if (r == 0 && x->remote) {
        struct remote_logs there = {to, on_begin};

        there.o.since = o->since; /* "10min" is of the server's clock */
        there.o.until = o->until;
        r = remote_logs_read(x->remote, operands, &there, e);
        log_lines_close(&out);
        return r;
    }
    if (r == 0)
        r = instances_select(&out.names, x->env, operands, 0, e);
    if (r == 0) {
        log_lines_open(&out, x);
        r = logs_read(&dropped, x->env, &out.names, &to, e);
        if (dropped)
            log_warn("%zu lines are not shown; ask for less with --since or --tail", dropped);
    }
    log_lines_close(&out);
    return r;
}

const struct cmd cmd_logs = {
    .help = {.name = "logs",
             .summary = "what instances print, in the order of time",
             .args = "[INSTANCE|COMPONENT ...]",
             .options = options,
             .examples = examples,
             .group = "Instances"},
    .options_size = sizeof(struct logs_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_CONTAINERS,
    .max_operands = -1,
    .server = true,
    .run = run,
};

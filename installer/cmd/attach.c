/* SPDX-License-Identifier: MIT */
/*
 * attach: what instances print, live, until Ctrl-C, which leaves them running. Nothing of the
 * terminal goes into the container, so no key can end a daemon. It goes on when an instance is
 * started again or gets a new container, and ends by itself when all are removed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/log_lines.h"
#include "cmd/out.h"
#include "env/follow.h"
#include "env/instances.h"

#define TAIL_DEFAULT "10"

struct attach_options {
    bool all, timestamps;
    const char *tail;
};

static const struct opt_spec options[] = {
    {"all", 'a', OPT_FLAG, NULL, "every instance", offsetof(struct attach_options, all)},
    {"tail", 'n', OPT_STRING, "N",
     "begin with the last N lines of each (default " TAIL_DEFAULT "), or all",
     offsetof(struct attach_options, tail)},
    {"timestamps", 't', OPT_FLAG, NULL, "print the time of each line",
     offsetof(struct attach_options, timestamps)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway attach ceph-osd-1", "one instance"},
    {"slipway attach ceph-mon ceph-mgr-1", "several, each line with its name"},
    {"slipway attach", "asks which one, on a terminal"},
    {0},
};

struct attach {
    struct cmd_context *x;
    struct log_lines out;
};

/* What happens to the instance itself: on stderr, so that stdout holds its output alone. */
static void say(const struct attach *a, const char *instance, const char *what)
{
    if (a->x->quiet)
        return;
    fflush(stdout);
    out_line(stderr, "-- %s %s", instance, what);
}

static bool on_line(void *arg, const struct logs_line *line)
{
    const struct attach *a = arg;

    log_lines_print(&a->out, line->source, line->stream, line->text, line->len);
    return !ferror(stdout);
}

static void on_news(void *arg, size_t source, enum follow_news what, int status)
{
    const struct attach *a = arg;
    auto_free char *ended =
        status < 0 ? mem_strdup("ended") : mem_printf("ended with status %d", status);

    say(a, a->out.names.items[source],
        what == FOLLOW_ENDED        ? ended
        : what == FOLLOW_RUNS_AGAIN ? "runs again"
                                    : "is removed");
}

/* ---- which ones ---- */

static void add_running(struct strv *out, const struct cmd_context *x)
{
    auto_strv struct strv all = {0};

    instances_all(&all, x->env);
    for (size_t i = 0; i < all.count; i++)
        if (strcmp(instances_state(x->env, all.items[i]), "running") == 0)
            strv_add(out, all.items[i]);
}

/* By number or name. */
static int ask(struct strv *words, const struct strv *running, struct err *e)
{
    char answer[128];
    char *end;
    unsigned long n;

    for (size_t i = 0; i < running->count; i++)
        out_line(stderr, "%3zu  %s", i + 1, running->items[i]);
    fputs("Attach to which one? Number or name: ", stderr);
    if (!out_ask(answer, sizeof(answer)) || !answer[0])
        return err_set(e, ERR_INTERRUPTED, "none was chosen");
    n = strtoul(answer, &end, 10);
    if (!*end && (n < 1 || n > running->count))
        return err_set(e, ERR_USAGE, "there is no number %s; 1 to %zu", answer, running->count);
    strv_add(words, *end ? answer : running->items[n - 1]);
    return 0;
}

/* Without words: the only one there is, else the one that is chosen. */
static int choose(struct strv *words, const struct cmd_context *x, struct err *e)
{
    auto_strv struct strv running = {0};
    auto_free char *list = NULL;

    add_running(&running, x);
    if (running.count == 1) {
        strv_add(words, running.items[0]);
        return 0;
    }
    if (running.count && isatty(STDIN_FILENO))
        return ask(words, &running, e);
    list = strv_join(&running, ", ");
    return running.count
               ? err_set(e, ERR_USAGE, "name instances or components, or use --all: %s", list)
               : err_set(e, ERR_CONFLICT, "%s has no instance that runs", x->env->name);
}

/* One that does not run is waited for only beside others that do. */
static int check_running(const struct attach *a, struct err *e)
{
    const struct strv *names = &a->out.names;
    size_t running = 0;

    for (size_t i = 0; i < names->count; i++)
        running += strcmp(instances_state(a->x->env, names->items[i]), "running") == 0;
    if (running)
        return 0;
    return err_set(e, ERR_CONFLICT, "%s does not run (%s); what it printed: `slipway logs %s`",
                   names->items[0], instances_state(a->x->env, names->items[0]), names->items[0]);
}

static int select_instances(struct attach *a, const struct attach_options *o,
                            const struct strv *operands, struct err *e)
{
    auto_strv struct strv words = {0};

    strv_add_all(&words, operands);
    if (words.count == 0 && !o->all && choose(&words, a->x, e) < 0)
        return -1;
    if (o->all)
        strv_clear(&words);
    if (instances_select(&a->out.names, a->x->env, &words, 0, e) < 0)
        return -1;
    return check_running(a, e);
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct attach_options *o = opts;
    struct attach a = {.x = x, .out = {.timestamps = o->timestamps, .flush = true}};
    struct follow_opts f = {.line = on_line, .news = on_news, .arg = &a};
    auto_free char *names = NULL;
    int r = log_lines_tail(&f.tail, o->tail ? o->tail : TAIL_DEFAULT, e);

    if (r == 0)
        r = select_instances(&a, o, operands, e);
    if (r == 0) {
        log_lines_open(&a.out, x);
        names = strv_join(&a.out.names, ", ");
        say(&a, names,
            a.out.names.count > 1 ? "attached; Ctrl-C leaves them running"
                                  : "attached; Ctrl-C leaves it running");
        r = follow_run(x->env, &a.out.names, &f, e);
        if (until_is_cancelled(x->env->until))
            say(&a, names, "detached");
    }
    log_lines_close(&a.out);
    return r;
}

const struct cmd cmd_attach = {
    .help = {.name = "attach",
             .summary = "follow what instances print; Ctrl-C leaves them running",
             .args = "[INSTANCE|COMPONENT ...]",
             .details = "Without a name: the only instance that runs, or the one that is chosen "
                        "on the terminal. Only output is shown; nothing that is typed goes into "
                        "the container. It goes on when an instance is started again or gets a "
                        "new container, says so on standard error, and ends with Ctrl-C (exit "
                        "status 0) or when the instances are removed. What was printed before: "
                        "`slipway logs`. A shell inside: `slipway exec INSTANCE`.",
             .options = options,
             .examples = examples,
             .group = "Instances"},
    .options_size = sizeof(struct attach_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_CONTAINERS,
    .max_operands = -1,
    .run = run,
};

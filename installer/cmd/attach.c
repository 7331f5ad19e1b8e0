/* SPDX-License-Identifier: MIT */
/*
 * attach: what instances print, live, until Ctrl-C, which leaves them running. Nothing of the
 * terminal goes into the container, so no key can end a daemon. It goes on when an instance is
 * started again or gets a new container, and ends by itself when all are removed.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/sig.h"
#include "cmd/instances.h"
#include "cmd/log_lines.h"
#include "cmd/out.h"
#include "plan/connect.h"
#include "plan/world.h"

/* "2026-01-31T12:00:00.123456789Z", which the engine puts before every line. */
enum { STAMP_LEN = 30, LOOK_MS = 300, LOOKS_MAX = 10 };

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
    int tail;
    pthread_mutex_t mutex; /* stdout, stderr, failed, first */
    bool failed;
    struct err first;
};

struct source {
    struct attach *a;
    size_t number;
    char last[STAMP_LEN + 1];  /* time of the newest line that was printed */
    char since[STAMP_LEN + 1]; /* what it was when this stream began */
    char *id;                  /* the container that was followed */
    char *started;             /* and when it was started */
};

static bool stop(void *arg)
{
    (void)arg;
    return sig_interrupts() > 0 || ferror(stdout);
}

static void on_line(void *arg, int stream, const char *text, size_t len)
{
    struct source *s = arg;

    /* After a restart the engine begins with the last line again. Within a stream lines may be out
     * of order: Docker reads standard output and error side by side. */
    if (len >= STAMP_LEN && strncmp(text, s->since, STAMP_LEN) <= 0)
        return;
    if (len >= STAMP_LEN && strncmp(text, s->last, STAMP_LEN) > 0)
        memcpy(s->last, text, STAMP_LEN);
    pthread_mutex_lock(&s->a->mutex);
    log_lines_print(&s->a->out, s->number, stream, text, len);
    pthread_mutex_unlock(&s->a->mutex);
}

/* What happens to the instance itself: on stderr, so that stdout holds its output alone. */
static void say(struct attach *a, const char *instance, const char *what)
{
    if (a->x->quiet)
        return;
    pthread_mutex_lock(&a->mutex);
    fflush(stdout);
    fprintf(stderr, "-- %s %s\n", instance, what);
    pthread_mutex_unlock(&a->mutex);
}

/* A container that `up` has set aside: its successor comes. */
static bool is_replaced(const struct node *containers, const char *instance)
{
    const struct node *c;

    node_for_each (c, containers) {
        const char *name = connect_label(c, LABEL_INSTANCE);

        if (name && strcmp(name, instance) == 0)
            return true;
    }
    return false;
}

/* The instance's container as it is now, or NULL; *gone when none is to be expected. */
static int look(struct node **out, bool *gone, const struct source *s, struct engine *g,
                struct err *e)
{
    const char *name = s->a->out.names.items[s->number];
    auto_node struct node *list = NULL;
    const struct node *c;

    *out = NULL;
    *gone = false;
    if (connect_containers(&list, g, s->a->x->key.uuid, e) < 0)
        return -1;
    c = connect_find(list, name);
    *gone = !c && !is_replaced(list, name);
    if (!c || engine_container_inspect(out, g, node_get_text(c, "Id"), e) == 0)
        return 0;
    if (e->code != ERR_NOTFOUND)
        return -1;
    err_drop(e, "a container that has just gone");
    return 0;
}

static bool is_new_start(const struct source *s, const struct node *seen)
{
    const struct node *state = node_get(seen, "State");

    return node_get_bool(state, "Running", false) &&
           (!s->id || strcmp(s->id, node_get_text(seen, "Id")) != 0 ||
            strcmp(s->started, node_get_text(state, "StartedAt")) != 0);
}

static void remember(struct source *s, const struct node *seen)
{
    free(s->id);
    free(s->started);
    s->id = mem_strdup(node_get_text(seen, "Id"));
    s->started = mem_strdup(node_get_text(node_get(seen, "State"), "StartedAt"));
}

static int follow(struct source *s, struct engine *g, struct err *e)
{
    struct engine_log_opts o = {.follow = true,
                                .timestamps = true,
                                .tail = s->last[0] ? -1 : s->a->tail,
                                .since = s->last[0] ? s->since : NULL,
                                .line = on_line,
                                .stop = stop,
                                .arg = s};

    memcpy(s->since, s->last, sizeof(s->since));
    if (engine_container_logs(g, s->id, &o, e) == 0)
        return 0;
    if (e->code != ERR_NOTFOUND)
        return -1;
    err_drop(e, "a container that has just gone");
    return 0;
}

/* Whether it ended, which is said; without that Docker has not told yet, or the stream broke. */
static bool say_end(struct source *s, const struct node *seen)
{
    const struct node *state = node_get(seen, "State");
    auto_free char *text = NULL;

    if (!seen || is_new_start(s, seen))
        text = mem_strdup("ended");
    else if (node_get_bool(state, "Running", false))
        return false;
    else
        text = mem_printf("ended with status %s", node_get_text(state, "ExitCode"));
    say(s->a, s->a->out.names.items[s->number], text);
    return true;
}

/* Until somebody interrupts, or the instance has no container any more. */
static int follow_all(struct source *s, struct engine *g, struct err *e)
{
    const char *name = s->a->out.names.items[s->number];
    bool ended = false, gone = false;
    int looks = 0;

    while (!stop(NULL)) {
        auto_node struct node *seen = NULL;

        if (look(&seen, &gone, s, g, e) < 0)
            return -1;
        if (s->id && !ended)
            ended = say_end(s, seen);
        if (gone) {
            say(s->a, name, "is removed");
            return 0;
        }
        if (is_new_start(s, seen)) {
            if (ended)
                say(s->a, name, "runs again");
            remember(s, seen);
        } else if (ended || !s->id || ++looks < LOOKS_MAX) {
            clock_sleep_ms(LOOK_MS);
            continue;
        }
        ended = false;
        looks = 0;
        if (follow(s, g, e) < 0)
            return -1;
    }
    return 0;
}

static void job(void *arg, size_t i)
{
    struct attach *a = arg;
    struct source s = {.a = a, .number = i};
    struct engine *g = NULL;
    struct err e;
    int r = engine_clone(&g, a->x->engine, &e);

    if (r == 0)
        r = follow_all(&s, g, &e);
    engine_close(g);
    free(s.id);
    free(s.started);
    if (r == 0)
        return;
    err_wrap(&e, "%s", a->out.names.items[i]);
    pthread_mutex_lock(&a->mutex);
    if (!a->failed)
        a->first = e;
    a->failed = true;
    pthread_mutex_unlock(&a->mutex);
}

/* ---- which ones --------------------------------------------------------------------------------
 */

static void add_running(struct strv *out, const struct cmd_context *x)
{
    auto_strv struct strv all = {0};

    instances_all(&all, x);
    for (size_t i = 0; i < all.count; i++)
        if (strcmp(instances_state(x, all.items[i]), "running") == 0)
            strv_add(out, all.items[i]);
}

/* By number or name. */
static int ask(struct strv *words, const struct strv *running, struct err *e)
{
    char answer[128];
    char *end;
    unsigned long n;

    for (size_t i = 0; i < running->count; i++)
        fprintf(stderr, "%3zu  %s\n", i + 1, running->items[i]);
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
               : err_set(e, ERR_CONFLICT, "%s has no instance that runs", x->env);
}

/* One that does not run is waited for only beside others that do. */
static int check_running(const struct attach *a, struct err *e)
{
    const struct strv *names = &a->out.names;
    size_t running = 0;

    for (size_t i = 0; i < names->count; i++)
        running += strcmp(instances_state(a->x, names->items[i]), "running") == 0;
    if (running)
        return 0;
    return err_set(e, ERR_CONFLICT, "%s does not run (%s); what it printed: `slipway logs %s`",
                   names->items[0], instances_state(a->x, names->items[0]), names->items[0]);
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
    if (instances_select(&a->out.names, a->x, &words, 0, e) < 0)
        return -1;
    return check_running(a, e);
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct attach_options *o = opts;
    struct attach a = {.x = x, .mutex = PTHREAD_MUTEX_INITIALIZER};
    auto_free char *names = NULL;
    int r = log_lines_tail(&a.tail, o->tail ? o->tail : TAIL_DEFAULT, e);

    if (r == 0)
        r = select_instances(&a, o, operands, e);
    if (r == 0) {
        log_lines_open(&a.out, x);
        a.out.timestamps = o->timestamps;
        a.out.flush = true;
        names = strv_join(&a.out.names, ", ");
        say(&a, names,
            a.out.names.count > 1 ? "attached; Ctrl-C leaves them running"
                                  : "attached; Ctrl-C leaves it running");
        pool_run(a.out.names.count, (unsigned)a.out.names.count, job, &a);
        if (sig_interrupts() > 0)
            say(&a, names, "detached");
        if (a.failed) {
            *e = a.first;
            r = -1;
        }
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
                        "`slipway logs`. A shell inside: `slipway exec`.",
             .options = options,
             .examples = examples,
             .group = "Instances"},
    .options_size = sizeof(struct attach_options),
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_CONTAINERS,
    .max_operands = -1,
    .run = run,
};

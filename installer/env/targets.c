/* SPDX-License-Identifier: MIT */
#include "env/targets.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/quote.h"
#include "base/teller.h"
#include "base/thread.h"
#include "env/instances.h"
#include "host/host.h"

enum { ENGINE_PARALLEL = 8, RELAY_MS = 60 * 1000 };

struct run;
struct item {
    struct run *run;
    size_t index;
    const struct target *target;
    struct target_command command;
    /* over SSH */
    struct host_job job;
    char *line; /* the command for a shell */
    bool started, under_way, done;
};

struct run {
    struct env *env;
    const struct targets_opts *o;
    const struct target_events *ev;
    struct until until;     /* of every command: it ends with `given_up` */
    struct cancel given_up; /* somebody cancelled, or one has failed and that is enough */
    struct item *items;
    struct item **over_ssh, **by_engine; /* those that are reached so */
    size_t ssh_count, engine_count;
    struct teller *teller; /* calls of events */
};

void target_of_instance(struct target *t, const struct env *env, const char *name)
{
    *t = (struct target){.name = name};
    /* One that does not run is told as such, not as one that nobody answers for. */
    t->over_ssh = ssh_answers(env, name);
    if (t->over_ssh)
        ssh_login_open(&t->login, env, name, &t->error);
    else
        instances_running(NULL, &t->container, env, name, &t->error);
}

void target_clear(struct target *t)
{
    ssh_login_clear(&t->login);
    *t = (struct target){0};
}

/* ---- giving up ---- */

/* Twice: what is under way is given up too, there is nothing to finish. */
static void give_up(struct run *run)
{
    cancel_raise(&run->given_up);
    cancel_raise(&run->given_up);
}

static bool is_over(const struct run *run)
{
    return cancel_count(&run->given_up) > 0;
}

/* Hands on that the caller's task was cancelled. Ends when everything has ended or is given up. */
static void *relay(void *arg)
{
    struct run *run = arg;
    const struct until theirs = {.cancel = run->env->until.cancel},
                       ours = {.cancel = &run->given_up};
    struct pollfd fds[] = {{.fd = until_fd(theirs), .events = POLLIN},
                           {.fd = until_fd(ours), .events = POLLIN}};

    while (!until_is_cancelled(theirs) && !is_over(run))
        if (poll(fds, ARRAY_LEN(fds), until_poll_ms(ours, until_poll_ms(theirs, RELAY_MS))) < 0)
            until_sleep_ms(ours, 10);
    give_up(run);
    return NULL;
}

/* ---- events ---- */

/* Something that a target has printed. */
struct told_output {
    struct item *it;
    int stream;
    size_t len;
    char bytes[];
};

static void hand_output(void *what)
{
    struct told_output *t = what;
    struct run *run = t->it->run;

    if (!run->ev->output(run->ev->arg, t->it->index, t->stream, t->bytes, t->len))
        give_up(run);
    free(t);
}

static void tell_output(struct item *it, int stream, const char *p, size_t len)
{
    struct told_output *t;

    if (!len || !it->run->ev->output)
        return;
    t = mem_alloc(sizeof(*t) + len);
    *t = (struct told_output){.it = it, .stream = stream, .len = len};
    memcpy(t->bytes, p, len);
    teller_say(it->run->teller, hand_output, t, sizeof(*t) + len);
}

struct told_cut {
    struct item *it;
    int stream;
};

static void hand_cut(void *what)
{
    struct told_cut *t = what;
    struct run *run = t->it->run;

    run->ev->cut(run->ev->arg, t->it->index, t->stream);
    free(t);
}

static void tell_captured(struct item *it, int stream, const struct buf *b)
{
    struct told_cut *t;

    tell_output(it, stream, buf_str(b), b->len);
    if (!b->full || !it->run->ev->cut)
        return;
    t = mem_alloc(sizeof(*t));
    *t = (struct told_cut){it, stream};
    teller_say(it->run->teller, hand_cut, t, sizeof(*t));
}

/* What has an answer is waited for: it lives here. */
struct told_end {
    struct item *it;
    const struct target_end *end;
};

static void hand_end(void *what)
{
    const struct told_end *t = what;
    struct run *run = t->it->run;

    if (!run->ev->ended(run->ev->arg, t->it->index, t->end))
        give_up(run);
}

static void tell_end(struct item *it, const struct target_end *end)
{
    struct told_end t = {it, end};

    teller_say(it->run->teller, hand_end, &t, sizeof(t));
    teller_wait(it->run->teller);
}

struct told_next {
    struct item *it;
    bool has; /* the answer */
};

static void hand_next(void *what)
{
    struct told_next *t = what;
    struct run *run = t->it->run;

    t->has = run->ev->next(run->ev->arg, t->it->index, &t->it->command);
}

/* The next command that is to be run; there is none for a target without a way to it, nor when all
 * is given up, which it is told. */
static bool take_next(struct item *it)
{
    struct run *run = it->run;
    struct target_end end = {.status = -1, .error = it->target->error};
    struct told_next t = {.it = it};

    it->command = (struct target_command){0};
    teller_say(run->teller, hand_next, &t, sizeof(t));
    teller_wait(run->teller);
    if (!t.has || (!is_over(run) && end.error.code == ERR_NONE))
        return t.has;
    if (is_over(run))
        err_set(&end.error, ERR_INTERRUPTED, "%s was not started", it->target->name);
    else if (it->target->over_ssh)
        end.via = "ssh";
    tell_end(it, &end);
    return false;
}

/* ---- over SSH ---- */

static int on_output(void *arg, int stream, const char *p, size_t len, struct err *e)
{
    (void)e;
    tell_output(arg, stream, p, len);
    return 0;
}

/* The next command begins, or the target is done. */
static void start_ssh(struct hosts *h, struct item *it)
{
    const struct host_target t = ssh_login_target(&it->target->login);

    it->started = true;
    it->done = !take_next(it);
    if (it->done)
        return;
    free(it->line);
    it->line = quote_words(it->command.argv);
    it->job = (struct host_job){.command = it->line,
                                .input = it->command.input,
                                .input_len = it->command.input_len,
                                .output = on_output,
                                .arg = it,
                                .until = it->run->until};
    it->under_way = true;
    hosts_start(h, &t, &it->job);
}

static void end_ssh(struct item *it)
{
    const struct target_end end = {
        .via = "ssh", .status = it->job.status, .took_ms = it->job.took_ms, .error = it->job.error};

    it->under_way = false;
    tell_end(it, &end);
}

/* Commands that have ended since are told, and others begin; returns how many are under way. */
static size_t turn_ssh(struct run *run, struct hosts *h)
{
    size_t busy = 0, under_way = 0;

    for (size_t i = 0; i < run->ssh_count; i++) {
        struct item *it = run->over_ssh[i];

        if (it->under_way && it->job.ended)
            end_ssh(it);
        if (it->started && !it->done && !it->under_way)
            start_ssh(h, it);
        busy += it->started && !it->done;
    }
    for (size_t i = 0; i < run->ssh_count; i++) {
        struct item *it = run->over_ssh[i];

        if (!it->started && (!run->o->parallel || busy < run->o->parallel || is_over(run))) {
            start_ssh(h, it);
            busy += !it->done;
        }
        under_way += it->under_way;
    }
    return under_way;
}

static void run_ssh(struct run *run)
{
    struct hosts *h = run->ssh_count ? env_hosts(run->env) : NULL;

    while (h && turn_ssh(run, h) > 0)
        hosts_turn(h, (struct until){0}); /* each job has an end of its own */
    for (size_t i = 0; i < run->ssh_count; i++)
        free(run->over_ssh[i]->line);
}

/* ---- through the Engine API ---- */

static int exec_engine(struct target_end *end, struct item *it, struct engine *g, struct err *e)
{
    auto_buf struct buf out = {0}, errors = {0};
    const struct engine_exec x = {.argv = it->command.argv,
                                  .input = it->command.input,
                                  .input_len = it->command.input_len,
                                  .out = &out,
                                  .err = &errors,
                                  .deadline = it->run->until.deadline};
    int r;

    buf_init(&out, TARGETS_OUTPUT_MAX);
    buf_init(&errors, TARGETS_OUTPUT_MAX);
    end->via = "docker";
    r = engine_exec_run(&end->status, g, it->target->container, &x, e);
    tell_captured(it, 1, &out);
    tell_captured(it, 2, &errors);
    return r < 0 ? err_wrap(e, "%s", it->target->name) : 0;
}

static void engine_job(void *arg, size_t i)
{
    struct run *run = arg;
    struct item *it = run->by_engine[i];
    struct engine *g = NULL;

    while (take_next(it)) {
        struct target_end end = {.status = -1};
        int64_t began = clock_now_ms();

        if (g || engine_clone(&g, run->env->engine, &end.error) == 0) {
            engine_set_until(g, run->until);
            exec_engine(&end, it, g, &end.error);
        }
        end.took_ms = clock_now_ms() - began;
        tell_end(it, &end);
    }
    engine_close(g);
}

static void *run_engine(void *arg)
{
    struct run *run = arg;
    unsigned parallel =
        run->o->parallel && run->o->parallel < ENGINE_PARALLEL ? run->o->parallel : ENGINE_PARALLEL;

    pool_run(run->engine_count, parallel, engine_job, run);
    return NULL;
}

/* ---- all ---- */

static void build(struct run *run)
{
    size_t count = run->o->count;

    run->items = mem_array(count, sizeof(*run->items));
    run->over_ssh = mem_array(count, sizeof(struct item *));
    run->by_engine = mem_array(count, sizeof(struct item *));
    for (size_t i = 0; i < count; i++) {
        struct item *it = &run->items[i];

        *it = (struct item){.run = run, .index = i, .target = &run->o->targets[i]};
        if (it->target->over_ssh)
            run->over_ssh[run->ssh_count++] = it;
        else
            run->by_engine[run->engine_count++] = it;
    }
}

static void run_both(struct run *run)
{
    pthread_t id;
    bool beside = !run->o->parallel && run->ssh_count && run->engine_count &&
                  thread_start(&id, NULL, run_engine, run) == 0;

    run_ssh(run);
    if (beside)
        pthread_join(id, NULL);
    else
        run_engine(run);
}

static int run_all(struct run *run, struct err *e)
{
    pthread_t id;

    errno = thread_start(&id, NULL, relay, run);
    if (errno)
        return err_sys(e, "starting a thread");
    run_both(run);
    give_up(run); /* the thread */
    pthread_join(id, NULL);
    return 0;
}

int targets_run(struct env *env, const struct targets_opts *o, const struct target_events *ev,
                struct err *e)
{
    struct run run = {.env = env, .o = o, .ev = ev};
    int r;

    if (until_check_wait(env->until, "nothing was begun", e) < 0 || teller_open(&run.teller, e) < 0)
        return -1;
    cancel_init(&run.given_up);
    run.until =
        until_before((struct until){.deadline = env->until.deadline, .cancel = &run.given_up},
                     env_deadline(env, o->timeout_ms));
    build(&run);
    r = run_all(&run, e);
    teller_close(run.teller);
    cancel_clear(&run.given_up);
    free(run.items);
    free(run.over_ssh);
    free(run.by_engine);
    return r;
}

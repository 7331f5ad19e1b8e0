/* SPDX-License-Identifier: MIT */
#include "env/run.h"

#include <stdlib.h>

#include "base/mem.h"

struct run {
    const struct run_opts *o;
    const struct run_events *ev;
    struct run_result *results;
    bool *taken; /* the command was handed out */
};

bool run_is_well(const struct run_result *r)
{
    return r->error.code == ERR_NONE && r->status == 0;
}

static bool next(void *arg, size_t index, struct target_command *c)
{
    const struct run *run = arg;

    if (run->taken[index])
        return false;
    run->taken[index] = true;
    c->argv = run->o->argv;
    return true;
}

static bool on_output(void *arg, size_t index, int stream, const char *p, size_t len)
{
    const struct run *run = arg;

    return !run->ev->output || run->ev->output(run->ev->arg, index, stream, p, len);
}

static void on_cut(void *arg, size_t index, int stream)
{
    const struct run *run = arg;

    if (run->ev->cut)
        run->ev->cut(run->ev->arg, index, stream);
}

static bool on_ended(void *arg, size_t index, const struct target_end *end)
{
    const struct run *run = arg;
    struct run_result *r = &run->results[index];

    r->via = end->via;
    r->status = end->status;
    r->took_ms = end->took_ms;
    r->error = end->error;
    if (run->ev->ended)
        run->ev->ended(run->ev->arg, index, r);
    return !run->o->fail_fast || run_is_well(r);
}

int run_many(struct run_result **results, struct env *env, const struct strv *names,
             const struct run_opts *o, const struct run_events *ev, struct err *e)
{
    auto_free struct target *targets = mem_array(names->count, sizeof(*targets));
    auto_free bool *taken = mem_array(names->count, sizeof(*taken));
    struct run run = {.o = o, .ev = ev, .taken = taken};
    const struct target_events events = {
        .next = next, .output = on_output, .cut = on_cut, .ended = on_ended, .arg = &run};
    const struct targets_opts how = {.targets = targets,
                                     .count = names->count,
                                     .parallel = o->parallel,
                                     .timeout_ms = RUN_TIMEOUT_MS};
    int r;

    run.results = *results = mem_array(names->count, sizeof(**results));
    for (size_t i = 0; i < names->count; i++) {
        target_of_instance(&targets[i], env, names->items[i]);
        run.results[i] = (struct run_result){.instance = names->items[i], .status = -1};
    }
    r = targets_run(env, &how, &events, e);
    for (size_t i = 0; i < names->count; i++)
        target_clear(&targets[i]);
    if (r < 0) {
        free(*results);
        *results = NULL;
    }
    return r;
}

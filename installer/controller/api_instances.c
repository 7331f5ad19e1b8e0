/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "controller/api.h"
#include "controller/listing.h"
#include "controller/form.h"
#include "env/held.h"
#include "env/instances.h"
#include "env/show.h"
#include "env/status.h"

static int not_yet(struct request *q)
{
    reply_later(q, 503, 2000, "the environment has not been looked at yet");
    return 0;
}

int api_instance_list(struct controller *c, struct request *q, struct err *e)
{
    auto_node struct node *rows = NULL;
    struct node *list = NULL;

    if (q->query.param_count == 0) {
        struct shared_text *text = view_list(&c->view);

        if (!text)
            return not_yet(q);
        reply_shared(q, text);
        return 0;
    }
    rows = view_rows(&c->view);
    if (!rows)
        return not_yet(q);
    if (listing_make(&list, rows, &q->query, q->route->query, e) < 0)
        return -1;
    node_set_int(list, "revision", view_revision(&c->view));
    return api_answer(q, list);
}

int api_instance(struct controller *c, struct request *q, struct err *e)
{
    auto_node struct node *status = NULL;
    struct node *shown = NULL;
    struct env *env = NULL;
    int r = api_open(&env, c, q, ENV_NEEDS_NAME | ENV_NEEDS_CONTAINERS, e);

    if (r == 0)
        r = status_read(&status, env, e);
    if (r == 0)
        r = show_instance(&shown, env, status, q->args[0], e);
    env_close(env);
    if (r < 0)
        return -1;
    form_camel(shown);
    return api_answer(q, shown);
}

/* ---- start, stop, restart ---- */

struct work {
    struct task *task;
    const char *done;
};

static void on_done(void *arg, const char *instance, int64_t took_ms)
{
    const struct work *w = arg;

    task_log(w->task, "%s %s (%.1f s)", instance, w->done, (double)took_ms / 1000.0);
    task_advance(w->task);
}

static int start_stop(struct task *t, struct env *env, const struct node *a,
                      enum start_stop_verb verb, struct err *e)
{
    static const char *const done[] = {"started", "stopped", "restarted"};
    auto_strv struct strv words = strv_of(node_get_text(a, "target")), names = {0};
    const struct start_stop_opts o = {.verb = verb,
                                      .grace_ms = node_get_int(a, "grace", 0),
                                      .force = node_get_bool(a, "force", false),
                                      .no_wait = node_get_bool(a, "noWait", false)};
    struct work w = {.task = t, .done = done[verb]};
    const struct start_stop_events ev = {.done = on_done, .arg = &w};
    struct err bad;

    if (instances_select(&names, env, &words, 0, e) < 0)
        return -1;
    /* A broken component folder is not a reason not to stop something. */
    if (env_need(env, ENV_NEEDS_CATALOG, &bad) < 0) {
        err_drop(&bad, "the order of components");
        strv_clear(&env->problems);
    }
    task_steps(t, 0, (int64_t)names.count);
    return held_start_stop(env, &names, &o, &ev, e);
}

static int run_start(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    return start_stop(t, env, a, START_STOP_START, e);
}

static int run_stop(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    return start_stop(t, env, a, START_STOP_STOP, e);
}

static int run_restart(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    return start_stop(t, env, a, START_STOP_RESTART, e);
}

enum { NEEDS = ENV_NEEDS_NAME | ENV_NEEDS_CONTAINERS };
static const struct task_kind START = {"instance.start", NEEDS, run_start};
static const struct task_kind STOP = {"instance.stop", NEEDS, run_stop};
static const struct task_kind RESTART = {"instance.restart", NEEDS, run_restart};

/* A name that does not exist is told now, and not by a task. What is meant is the whole name from
 * here on: of one instance, or, with `component`, of a component. */
static int begin(struct controller *c, struct request *q, const struct task_kind *kind,
                 bool component, struct err *e)
{
    auto_strv struct strv words = strv_of(q->args[0]), names = {0};
    struct node *a = node_copy(q->body);
    struct env *env = NULL;
    int r = api_open(&env, c, q, NEEDS, e);

    if (r == 0)
        r = instances_select(&names, env, &words, 0, e);
    for (size_t i = 0; r == 0 && component && i < names.count; i++)
        if (strncmp(names.items[i], q->args[0], strlen(q->args[0])) != 0 ||
            names.items[i][strlen(q->args[0])] != '-')
            r = err_set(e, ERR_NOTFOUND, "%s is not a component", q->args[0]);
    if (r == 0 && !component && names.count != 1)
        r = err_set(e, ERR_NOTFOUND, "%s is not one instance", q->args[0]);
    env_close(env);
    if (r < 0) {
        node_free(a);
        return -1;
    }
    node_set_text(a, "target", component ? q->args[0] : names.items[0]);
    return api_begin(c, q, kind, a, e);
}

int api_instance_start(struct controller *c, struct request *q, struct err *e)
{
    return begin(c, q, &START, false, e);
}

int api_instance_stop(struct controller *c, struct request *q, struct err *e)
{
    return begin(c, q, &STOP, false, e);
}

int api_instance_restart(struct controller *c, struct request *q, struct err *e)
{
    return begin(c, q, &RESTART, false, e);
}

int api_component_start(struct controller *c, struct request *q, struct err *e)
{
    return begin(c, q, &START, true, e);
}

int api_component_stop(struct controller *c, struct request *q, struct err *e)
{
    return begin(c, q, &STOP, true, e);
}

int api_component_restart(struct controller *c, struct request *q, struct err *e)
{
    return begin(c, q, &RESTART, true, e);
}
